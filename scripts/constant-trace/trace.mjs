// Runs an operation with many secrets on an instrumented module and compares what is observed. Where two secrets differ,
// they run once more, recorded, and the first event in which they differ is found.

import { loadCurves } from './curves.mjs';
import { EVENT_BYTES, instrument } from './instrument.mjs';

/** Traces the module that src/curves comes with: the release build, or under `erst-debug` the other. */
export async function openTrace(options = {}) {
  const plain = await loadCurves(options);
  const hashed = await TracedCurves.open('hash', options, plain);
  return new Trace(hashed, () => TracedCurves.open('record', options, plain));
}

class Trace {
  #hashed;
  #openRecorded;

  constructor(hashed, openRecorded) {
    this.#hashed = hashed;
    this.#openRecorded = openRecorded;
  }

  /** The exports of the instrumented module, once an operation has run. */
  get exports() {
    return this.#hashed.exports;
  }

  /**
   * Whether all the secrets leave the same trace: the number of events, and the first difference if there is one.
   * length: that of messages, for operations that have one.
   */
  async compare(operation, secrets, length) {
    const traced = this.#hashed;
    traced.run(operation, secrets[0], length); // tables are computed at the first call
    const first = traced.run(operation, secrets[0], length);
    const events = traced.count;
    const other = secrets.find((secret) => traced.run(operation, secret, length) !== first);
    if (other === undefined) return { events, difference: undefined };
    return { events, difference: await this.#difference(operation, [secrets[0], other], length) };
  }

  async #difference(operation, secrets, length) {
    const recorded = await this.#openRecorded();
    recorded.run(operation, secrets[0], length);
    const [a, b] = secrets.map((secret) => {
      recorded.run(operation, secret, length);
      return recorded.events();
    });
    const shorter = Math.min(a.length, b.length);
    let at = 0;
    while (at < shorter && a.place(at) === b.place(at) && a.value(at) === b.value(at)) at++;
    const sides = [a, b].map((events, i) => ({
      secret: secrets[i],
      place: at < events.length ? recorded.places[events.place(at)] : undefined,
      value: at < events.length ? events.value(at) : undefined,
    }));
    return { event: at, sides };
  }
}

class TracedCurves {
  /** Runs before every call of an export, with the exports; operations set it. */
  beforeEachCall;
  curves;
  plain;
  exports;
  places;

  static async open(mode, { condition, changeModule = (bytes) => bytes, prepare = () => {} }, plain) {
    const traced = new TracedCurves();
    traced.plain = plain;
    traced.curves = await loadCurves({
      condition,
      changeModule: (bytes) => {
        const { wasm, places } = instrument(changeModule(bytes), mode);
        traced.places = places;
        return wasm;
      },
      changeExports: (exports) => {
        prepare(exports);
        traced.exports = exports;
        traced.start = exports['trace cursor'].value;
        return traced.#withHook(exports);
      },
    });
    return traced;
  }

  /** What was observed, in one string. */
  run(operation, secret, length) {
    this.#reset();
    this.beforeEachCall = undefined;
    operation.call(this, secret, length);
    const words = ['trace first', 'trace second', 'trace count'].map((name) => this.exports?.[name].value);
    return words.join();
  }

  get count() {
    return this.exports['trace count'].value >>> 0;
  }

  /** A copy of what was recorded. */
  events() {
    const { memory, 'trace cursor': cursor } = this.exports;
    const view = new DataView(memory.buffer.slice(this.start, cursor.value));
    if (view.byteLength !== this.count * EVENT_BYTES) throw new Error('more events than there is room for');
    return {
      length: this.count,
      place: (i) => view.getUint32(EVENT_BYTES * i, true),
      value: (i) => view.getBigUint64(EVENT_BYTES * i + 8, true),
    };
  }

  #reset() {
    if (this.exports === undefined) return;
    this.exports['trace first'].value = 0n;
    this.exports['trace second'].value = 0n;
    this.exports['trace count'].value = 0;
    this.exports['trace cursor'].value = this.start;
  }

  #withHook(exports) {
    const entries = Object.entries(exports).map(([name, value]) => {
      if (typeof value !== 'function') return [name, value];
      const hooked = (...args) => {
        this.beforeEachCall?.(exports);
        return value(...args);
      };
      return [name, hooked];
    });
    return Object.fromEntries(entries);
  }
}

/** A difference in one sentence, with names where there are any. */
export function describeDifference({ event, sides }, names) {
  return `event ${event}: ${sides.map((side) => describeSide(side, names)).join('; ')}`;
}

function describeSide({ secret, place, value }, names) {
  const key = `with ${Buffer.from(secret).toString('hex')}`;
  if (place === undefined) return `nothing more ${key}`;
  const where = names?.describe(place) ?? `function ${place.functionIndex}, byte ${place.offset}`;
  return `${place.operation} on ${value} ${key} (in ${where})`;
}
