// What only the debug build exports, besides the ABI: the arithmetic, for tests with limbs at the extremes of their
// classes.

import { multiplyBase } from './ed25519/fixed-base';
import { Point, encode } from './ed25519/point';
import { NielsPair, negateNielsPairIf } from './ed25519/point-pair';
import { Scalar } from './ed25519/scalar';

export {
  addCarried as field25519AddCarried,
  fromBytes as field25519FromBytes,
  mul as field25519Mul,
  negCarried as field25519NegCarried,
  sqr as field25519Sqr,
  subCarried as field25519SubCarried,
  toBytes as field25519ToBytes,
} from './ed25519/field-kernels';
export { invert as field25519Invert } from './ed25519/field';
export { powForSqrtOfPair as field25519PowForSqrtOfPair } from './ed25519/decode';
export { halveVarTime as scalar25519Halve } from './ed25519/half-size';
export { weightVarTime as scalar25519Weight } from './ed25519/weight';
export {
  addLaneCached as ed25519AddLaneCached,
  doubleLanes as ed25519DoubleLanes,
  joinLanes as ed25519JoinLanes,
  splitLanes as ed25519SplitLanes,
  subtractLaneCached as ed25519SubtractLaneCached,
  toLaneCached as ed25519ToLaneCached,
} from './ed25519/point-lanes';
export {
  differenceAndSum as field25519DifferenceAndSum,
  doublingDifferences as field25519DoublingDifferences,
  exchangeOdd as field25519ExchangeOdd,
  mulPair as field25519MulPair,
  negateCached as field25519NegateCached,
  sqrPair as field25519SqrPair,
  sumAndDifference as field25519SumAndDifference,
  sumAndOdd as field25519SumAndOdd,
  twiceSumAndDifference as field25519TwiceSumAndDifference,
} from './ed25519/field-lanes-kernels';
export { multiplyAdd as scalar25519MultiplyAdd, reduceWide as scalar25519ReduceWide } from './ed25519/scalar-kernels';
export {
  modInverse,
  modInversePair,
  modInverseVarTime,
  MODULUS_25519,
  MODULUS_SECP256K1_N,
  MODULUS_SECP256K1_P,
} from './modinv';
export {
  fromBytes as fieldSecp256k1FromBytes,
  mul as fieldSecp256k1Mul,
  mulAdd as fieldSecp256k1MulAdd,
  mulDifferenceAddSqr as fieldSecp256k1MulDifferenceAddSqr,
  mulDifferenceSub as fieldSecp256k1MulDifferenceSub,
  mulDifferenceSubMul as fieldSecp256k1MulDifferenceSubMul,
  mulSub as fieldSecp256k1MulSub,
  negateIf as fieldSecp256k1NegateIf,
  sqr as fieldSecp256k1Sqr,
  sqrSubSub2 as fieldSecp256k1SqrSubSub2,
  sqrTimes as fieldSecp256k1SqrTimes,
  sqrTimes3Half as fieldSecp256k1SqrTimes3Half,
  sub as fieldSecp256k1Sub,
  toBytes as fieldSecp256k1ToBytes,
} from './secp256k1/field-kernels';
export { G1, G2, mulScalar, mulShift384, splitHalves } from './secp256k1/scalar-kernels';
export {
  addScalar,
  halveScalar,
  isHigh,
  isSecretScalar,
  negateScalarIf,
  reduceScalar,
  scalarFromSeed,
} from './secp256k1/scalar';
export { multiplyAddVarTime, nonAdjacentFormVarTime } from './secp256k1/multi-scalar';
export { oddMultiples, oddMultiplesTimesZ } from './secp256k1/odd-multiples';
export { addAffineVarTime, doubleNegated } from './secp256k1/point';
export { FORCED_NONCES } from './secp256k1/rfc6979';
export { hmac, hmac32, hmacKey } from './hash/hmac';

/** Writes the encoding of s B; the point itself goes to `scratch`. */
export function ed25519MultiplyBase(encoding: usize, s: Scalar, scratch: Point): void {
  multiplyBase(scratch, s);
  encode(encoding, scratch);
}

/** Negates the points of a pair whose mask is all ones. */
export function ed25519NegateNielsPair(n: NielsPair, even: u32, odd: u32): void {
  negateNielsPairIf(n, i64x2.splat((<u64>odd << 32) | even));
}
