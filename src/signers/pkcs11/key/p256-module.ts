// The loader of the compiled P-256 verifier (assembly/p256), and the tables of keys in its memory: all of it public.
//
// Invariant: a key that verifies has its table of 288 KiB in a place of the module. There are few places; a key that needs
// one takes that of a key which is no longer used, else that of the next one in turn, whose table is copied out and goes with its key.
// One instance for all keys: engines reserve gigabytes of addresses for each.

import base64 from '#p256-wasm';

/** What assembly/p256/index.ts exports. */
interface P256Exports {
  readonly memory: WebAssembly.Memory;
  readonly GROUP: WebAssembly.Global<'i32'>;
  readonly KEY: WebAssembly.Global<'i32'>;
  readonly KEYS: WebAssembly.Global<'i32'>;
  readonly SIGNED: WebAssembly.Global<'i32'>;
  readonly SIGNED_BYTES: WebAssembly.Global<'i32'>;
  readonly TABLES: WebAssembly.Global<'i32'>;
  readonly TABLE_BYTES: WebAssembly.Global<'i32'>;
  readonly VERDICTS: WebAssembly.Global<'i32'>;
  p256Open(key: number): number;
  p256Verify(key: number, count: number): void;
}

const OK = 0;
const DIGEST_BYTES = 32;
const SIGNATURE_BYTES = 64;

export interface SignedDigest {
  /** The digest of 32 bytes. */
  message: Uint8Array;
  /** r and s, 64 bytes, high-S or not. */
  signature: Uint8Array;
}

/** A P-256 public key with its table. */
export class P256Key {
  readonly #point: Uint8Array;
  #place: Place | undefined;
  #table: Uint8Array | undefined;

  /** @param point - x and y, 32 bytes each; `RangeError` where they are no point of the curve */
  constructor(point: Uint8Array) {
    this.#point = point;
    this.#enter();
  }

  /** Whether each signature is valid (SEC 1 §4.1.4), in a time that depends on them. */
  verify(group: readonly SignedDigest[]): boolean[] {
    const place = this.#enter();
    const verdicts: boolean[] = [];
    for (let start = 0; start < group.length; start += place.module.groupSize) {
      verdicts.push(...place.module.verify(place, group.slice(start, start + place.module.groupSize)));
    }
    return verdicts;
  }

  #enter(): Place {
    if (this.#place?.holds(this)) return this.#place;
    const place = currentModule().freePlace();
    place.take(this, this.#table ?? this.#point);
    this.#place = place;
    return place;
  }

  /** What a place does before another key gets it. */
  static keepTable(key: P256Key, place: Place): void {
    key.#table ??= place.copy();
  }
}

/** Room for one table. */
class Place {
  #key: WeakRef<P256Key> | undefined;

  constructor(
    readonly module: P256Module,
    readonly index: number,
  ) {}

  get isFree(): boolean {
    return this.#key?.deref() === undefined;
  }

  holds(key: P256Key): boolean {
    return this.module === loaded && this.#key?.deref() === key;
  }

  /** Lets the key that is here go, with its table, and takes another by its table or point. */
  take(key: P256Key, tableOrPoint: Uint8Array): void {
    const before = this.#key?.deref();
    if (before !== undefined) P256Key.keepTable(before, this);
    this.#key = undefined;
    this.module.open(this.index, tableOrPoint);
    this.#key = new WeakRef(key);
  }

  copy(): Uint8Array {
    return this.module.tableAt(this.index).slice();
  }
}

class P256Module {
  readonly #run: P256Exports;
  readonly #bytes: Uint8Array;
  readonly #places: readonly Place[];
  #turn = 0;

  constructor() {
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(Buffer.from(base64, 'base64')), {});
    this.#run = exports as unknown as P256Exports;
    this.#bytes = new Uint8Array(this.#run.memory.buffer); // it never grows
    this.#places = Array.from({ length: this.#run.KEYS.value }, (_, index) => new Place(this, index));
  }

  get groupSize(): number {
    return this.#run.GROUP.value;
  }

  freePlace(): Place {
    const free = this.#places.find((place) => place.isFree);
    if (free !== undefined) return free;
    this.#turn = (this.#turn + 1) % this.#places.length;
    return this.#places[this.#turn]!;
  }

  tableAt(index: number): Uint8Array {
    const start = this.#run.TABLES.value + index * this.#run.TABLE_BYTES.value;
    return this.#bytes.subarray(start, start + this.#run.TABLE_BYTES.value);
  }

  open(index: number, tableOrPoint: Uint8Array): void {
    if (tableOrPoint.length === this.#run.TABLE_BYTES.value) {
      this.tableAt(index).set(tableOrPoint);
      return;
    }
    this.#bytes.set(tableOrPoint, this.#run.KEY.value);
    const status = orForget(() => this.#run.p256Open(index));
    if (status !== OK) throw new RangeError('The P-256 public key is not a point of the curve.');
  }

  verify({ index }: Place, group: readonly SignedDigest[]): boolean[] {
    for (const [i, { message, signature }] of group.entries()) {
      if (message.length !== DIGEST_BYTES) throw new RangeError('A digest of 32 bytes is verified.');
      if (signature.length !== SIGNATURE_BYTES) throw new RangeError('A signature of 64 bytes is verified.');
      const at = this.#run.SIGNED.value + i * this.#run.SIGNED_BYTES.value;
      this.#bytes.set(message, at);
      this.#bytes.set(signature, at + DIGEST_BYTES);
    }
    orForget(() => this.#run.p256Verify(index, group.length));
    const verdicts = this.#run.VERDICTS.value;
    return Array.from(group, (_, i) => this.#bytes[verdicts + i] === 1);
  }
}

let loaded: P256Module | undefined;

function currentModule(): P256Module {
  loaded ??= new P256Module();
  return loaded;
}

/** A module that was left in the middle of its work, for want of stack, is not used again. */
function orForget<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    loaded = undefined;
    throw error;
  }
}
