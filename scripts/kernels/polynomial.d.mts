export class ProofError extends Error {}

export class Polynomial {
  static constant(n: bigint): Polynomial;
  static unknown(name: string): Polynomial;
  static sum(polynomials: Polynomial[]): Polynomial;
  plus(other: Polynomial): Polynomial;
  minus(other: Polynomial): Polynomial;
  scaled(n: bigint): Polynomial;
  times(other: Polynomial): Polynomial;
  over(statement: string, n: bigint): Polynomial;
  readonly key: string;
  bounds(intervalOf: (name: string) => readonly [bigint, bigint]): [bigint, bigint];
  mustBeEven(statement: string): void;
  mustVanish(statement: string, modulus: bigint): void;
}
