export class BoundError extends Error {}

export interface Value {
  readonly text: string;
  readonly lo: bigint;
  readonly hi: bigint;
}

export class Kernel {
  constructor(type?: 'u64' | 'i64');
  read(text: string, interval: readonly [bigint, bigint]): Value;
  constant(n: bigint): Value;
  let(name: string, value: Value): Value;
  add(...terms: Value[]): Value;
  sub(a: Value, b: Value): Value;
  mul(a: Value, b: Value): Value;
  shl(a: Value, bits: number): Value;
  shr(a: Value, bits: number): Value;
  low(a: Value, bits: number): Value;
  join(a: Value, b: Value, bits: number): Value;
  select(mask: string, a: Value, b: Value): Value;
  write(target: string, value: Value, max: bigint, cast?: string): void;
  store64(pointer: string, value: Value, offset: number): void;
  body(): string;
}
