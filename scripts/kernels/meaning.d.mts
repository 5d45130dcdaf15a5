import type { Polynomial } from './polynomial.mjs';

export function evaluate(formula: string, operand: (name: string) => Polynomial): Polynomial;
