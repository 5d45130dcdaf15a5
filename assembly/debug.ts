// What only the debug build exports, besides the ABI: the arithmetic, for tests with limbs at the extremes of their
// classes.

import { multiplyBase } from './ed25519/fixed-base';
import { Point, encode } from './ed25519/point';
import { NielsPair, negateNielsPairIf } from './ed25519/point-pair';
import { Scalar } from './ed25519/scalar';

export {
  add as field25519Add,
  addCarried as field25519AddCarried,
  doubleAdd as field25519DoubleAdd,
  doubleSubCarried as field25519DoubleSubCarried,
  fromBytes as field25519FromBytes,
  mul as field25519Mul,
  mulDifference as field25519MulDifference,
  mulSum as field25519MulSum,
  negCarried as field25519NegCarried,
  negIf as field25519NegIf,
  sqr as field25519Sqr,
  sqrSum as field25519SqrSum,
  sub as field25519Sub,
  subCarried as field25519SubCarried,
  subSumCarried as field25519SubSumCarried,
  swapIf as field25519SwapIf,
  toBytes as field25519ToBytes,
} from './ed25519/field-kernels';
export {
  mulPair as field25519MulPair,
  sumAndDifference as field25519SumAndDifference,
  twiceSumAndDifference as field25519TwiceSumAndDifference,
} from './ed25519/field-lanes-kernels';
export { invert as field25519Invert, powForSqrt as field25519PowForSqrt } from './ed25519/field';
export { multiplyAdd as scalar25519MultiplyAdd, reduceWide as scalar25519ReduceWide } from './ed25519/scalar-kernels';
export { modInverse, modInverseVarTime, MODULUS_25519, MODULUS_SECP256K1_N, MODULUS_SECP256K1_P } from './modinv';
export {
  fromBytes as fieldSecp256k1FromBytes,
  mul as fieldSecp256k1Mul,
  mulAdd as fieldSecp256k1MulAdd,
  mulAddSquares as fieldSecp256k1MulAddSquares,
  mulDifferenceSub8 as fieldSecp256k1MulDifferenceSub8,
  mulDifferenceSubMul as fieldSecp256k1MulDifferenceSubMul,
  mulSub as fieldSecp256k1MulSub,
  mulSumAddMul as fieldSecp256k1MulSumAddMul,
  mulSumsSub as fieldSecp256k1MulSumsSub,
  mulTimes2 as fieldSecp256k1MulTimes2,
  negateIf as fieldSecp256k1NegateIf,
  sqr as fieldSecp256k1Sqr,
  sqrSub8 as fieldSecp256k1SqrSub8,
  sqrSubSub2 as fieldSecp256k1SqrSubSub2,
  sqrTimes3 as fieldSecp256k1SqrTimes3,
  sub as fieldSecp256k1Sub,
  times21 as fieldSecp256k1Times21,
  times3 as fieldSecp256k1Times3,
  toBytes as fieldSecp256k1ToBytes,
} from './secp256k1/field-kernels';
export { mulScalar, mulShift384 } from './secp256k1/scalar-kernels';
export {
  addScalar,
  halveScalar,
  isHigh,
  isSecretScalar,
  negateScalarIf,
  reduceScalar,
  scalarFromSeed,
} from './secp256k1/scalar';
export { multiplyAddVarTime } from './secp256k1/multi-scalar';
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
