import type { Polynomial } from './polynomial.mjs';

export class BoundError extends Error {}

export interface Value {
  readonly text: string;
  readonly lo: bigint;
  readonly hi: bigint;
  readonly polynomial: Polynomial;
}

export interface Output {
  readonly lo: bigint;
  readonly hi: bigint;
  readonly polynomial: Polynomial;
  readonly targets: string[];
}

export class Kernel {
  constructor(type?: 'u64' | 'i64');
  read(text: string, interval: readonly [bigint, bigint], type?: 'u32' | 'u64' | 'i64'): Value;
  load64(pointer: string, offset: number): Value;
  constant(n: bigint | number): Value;
  let(name: string, value: Value): Value;
  add(...terms: Value[]): Value;
  sub(a: Value, b: Value): Value;
  mul(a: Value, b: Value): Value;
  shl(a: Value, bits: number): Value;
  shr(a: Value, bits: number): Value;
  shrExact(a: Value, bits: number): Value;
  low(a: Value, bits: number): Value;
  join(a: Value, b: Value, bits: number): Value;
  select(mask: string, a: Value, b: Value): Value;
  wrap(value: Value): Value;
  unwrap(value: Value): Value;
  cast(value: Value, type: 'u64' | 'i64'): Value;
  write(target: string, value: Value, max: bigint, cast?: string): void;
  writeSigned(target: string, value: Value, max: bigint): void;
  emit(statement: string, writes: [string, Value][], max: bigint): void;
  meansNothing(target: string): void;
  spelled(value: Value, text: string, places?: string[]): Value;
  store64(pointer: string, value: Value, offset: number): void;
  output(weighted: [string, bigint][]): Output;
  proves(statement: string, output: Output, expected: Polynomial, modulus: bigint): void;
  body(): string;
}
