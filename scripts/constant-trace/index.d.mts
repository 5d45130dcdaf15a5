import type { ed25519, schnorr, secp256k1 } from '../../src/curves/index.js';
import type { CurvesExports, withCurves } from '../../src/curves/wasm.js';

export interface LoadedCurves {
  readonly ed25519: typeof ed25519;
  readonly secp256k1: typeof secp256k1;
  readonly schnorr: typeof schnorr;
  readonly withCurves: typeof withCurves;
}

export interface LoadOptions {
  /** `erst-debug`: the debug build. */
  readonly condition?: string | undefined;
  readonly changeModule?: (module: Uint8Array) => Uint8Array;
}

export function loadCurves(
  options?: LoadOptions & { readonly changeExports?: (exports: CurvesExports) => CurvesExports },
): Promise<LoadedCurves>;

/** Where something is observed. */
export interface Place {
  readonly operation: string;
  readonly functionIndex: number;
  readonly offset: number;
}

export function instrument(
  module: Uint8Array,
  mode: 'hash' | 'record',
): { wasm: Uint8Array<ArrayBuffer>; places: Place[]; globals: string[] };

export interface Names {
  describe(place: Place): string;
}

export function compileWithNames(
  folder?: string,
  target?: 'release' | 'debug',
): Promise<{ wasm: Uint8Array; names: Names }>;
export function isSameCode(a: Uint8Array, b: Uint8Array): boolean;

export interface Operation {
  readonly name: string;
  readonly debugOnly?: boolean;
  secrets(count: number): Uint8Array[];
}

export const operations: readonly Operation[];
export const variableTime: readonly Operation[];

export interface Difference {
  readonly event: number;
  readonly sides: readonly { secret: Uint8Array; place: Place | undefined; value: bigint | undefined }[];
}

export interface Trace {
  compare(
    operation: Operation,
    secrets: readonly Uint8Array[],
    length?: number,
  ): Promise<{ events: number; difference: Difference | undefined }>;
}

export function openTrace(
  options?: LoadOptions & { readonly prepare?: (exports: Record<string, WebAssembly.Global>) => void },
): Promise<Trace>;
export function describeDifference(difference: Difference, names?: Names): string;
