// The curves with everything that WASM keeps laid open: the memory and the globals, after a call and before they are wiped;
// and with a trap at any point of a call.

import { instrument, type LoadedCurves, loadCurves } from '../../scripts/constant-trace/index.mjs';
import type { CurvesExports } from '../../src/curves/wasm.js';

export const build = process.env.ERST_CURVES_BUILD === 'debug' ? 'debug' : 'release';
const condition = build === 'debug' ? 'erst-debug' : undefined;

type Exports = CurvesExports & Record<string, WebAssembly.Global<'i32' | 'i64'>>;

export interface ObserveOptions {
  readonly changeModule?: (module: Uint8Array) => Uint8Array;
  readonly prepare?: (exports: Record<string, WebAssembly.Global>) => void;
}

export class ObservedCurves {
  curves!: LoadedCurves;
  /** Runs whenever a function of the module has returned or trapped, before anything is wiped. */
  afterEachCall: (() => void) | undefined;
  #exports: Exports | undefined;

  static async open({ changeModule = (module) => module, prepare }: ObserveOptions = {}) {
    const observed = new ObservedCurves();
    let instrumented: Uint8Array | undefined;
    observed.curves = await loadCurves({
      condition,
      changeModule: (module) => {
        instrumented ??= instrument(changeModule(module), 'hash').wasm;
        return instrumented;
      },
      changeExports: (exports) => {
        observed.#exports = exports as Exports;
        prepare?.(observed.exports);
        return observed.#withHook(exports);
      },
    });
    observed.curves.withCurves(() => {}); // makes an instance
    return observed;
  }

  /** Those of the module in use, or of the last one, if that has trapped. */
  get exports(): Exports {
    return this.#exports!;
  }

  /** The whole memory, then the globals that can change. */
  image(): Buffer {
    const globals = Object.entries(this.exports).filter(([name]) => name.startsWith('global '));
    const values = new BigInt64Array(globals.map(([, global]) => BigInt(global.value)));
    return Buffer.concat([new Uint8Array(this.exports.memory.buffer), new Uint8Array(values.buffer)]);
  }

  /** The first places where two images differ, in words; none where they are equal. */
  differences(a: Buffer, b: Buffer): string[] {
    return differingBytes(a, b)
      .slice(0, 8)
      .map((at) => this.nameOf(at));
  }

  /** The same without the globals. */
  memoryDifferences(a: Buffer, b: Buffer): string[] {
    const bytes = this.exports.memory.buffer.byteLength;
    return this.differences(a.subarray(0, bytes), b.subarray(0, bytes));
  }

  /** An address by the exported one before it, or which of the globals it is. */
  nameOf(at: number): string {
    const memoryBytes = this.exports.memory.buffer.byteLength;
    if (at >= memoryBytes) return `global ${(at - memoryBytes) >> 3}`;
    const addresses = Object.entries(this.exports).flatMap(([name, { value }]) =>
      /^[A-Z0-9_]+$/.test(name) && Number(value) <= at ? [{ name, start: Number(value) }] : [],
    );
    const nearest = addresses.sort((x, y) => y.start - x.start)[0];
    return nearest === undefined ? `${at}` : `${nearest.name} + ${at - nearest.start}`;
  }

  /** How many events of its trace a call takes. */
  eventsOf(call: () => unknown): number {
    this.exports['trace count']!.value = 0;
    call();
    return Number(this.exports['trace count']!.value);
  }

  /** Lets a call trap at this event of its trace. The module is not used again. */
  trap(call: () => unknown, event: number): void {
    this.curves.withCurves(() => {}); // makes an instance, where the last one has trapped
    this.exports['trace count']!.value = 0;
    this.exports['trace limit']!.value = event;
    try {
      call();
    } catch (error) {
      if (error instanceof WebAssembly.RuntimeError) return;
      throw error;
    }
    throw new Error(`no trap at event ${event}`);
  }

  /** Goes on with a fresh module. */
  renew(): void {
    this.trap(() => this.curves.ed25519.getPublicKey(new Uint8Array(32)), 1);
  }

  #withHook(exports: CurvesExports): CurvesExports {
    const entries = Object.entries(exports).map(([name, value]) => {
      if (typeof value !== 'function') return [name, value];
      const hooked = (...args: unknown[]) => {
        try {
          return (value as (...args: unknown[]) => unknown)(...args);
        } finally {
          this.afterEachCall?.();
        }
      };
      return [name, hooked];
    });
    return Object.fromEntries(entries) as CurvesExports;
  }
}

/** Where two images differ. */
export function differingBytes(a: Buffer, b: Buffer): number[] {
  if (a.equals(b)) return [];
  return Array.from(a.keys()).filter((at) => a[at] !== b[at]);
}
