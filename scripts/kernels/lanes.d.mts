import { Kernel, type Value } from './core.mjs';

export class LaneKernel extends Kernel {
  constructor(constant: (n: bigint, bits: 32 | 64) => string | undefined);
  limb(name: string, interval: readonly [bigint, bigint]): Value;
  number(n: bigint, text?: string): Value;
  word(text: string, ...limbs: Value[]): Value[];
  each(operation: (...values: Value[]) => Value, ...words: Value[][]): Value[];
  shuffle(a: Value[], b: Value[], ...lanes: number[]): Value[];
  shuffleHalves(a: Value[], b: Value[], lanes: number, ...halves: number[]): Value[];
  letWord(name: string, word: Value[]): Value[];
  emitWord(targets: string[], word: Value[], max: bigint, statement: (text: string) => string): void;
}
