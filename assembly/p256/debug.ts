// What only the debug build exports, besides the ABI: the arithmetic, for tests with limbs at the extremes of their bounds.

export { invert as fieldInvert, isEqual as fieldIsEqual, toBytes as fieldToBytes } from './field';
export {
  fromBytes as fieldFromBytes,
  mul as fieldMul,
  mulDifference as fieldMulDifference,
  mulDifferenceSub as fieldMulDifferenceSub,
  sqr as fieldSqr,
  sqrSubSub as fieldSqrSubSub,
} from './field-kernels';
export { modInverseVarTime, MODULUS_N, MODULUS_P } from './inverse';
export { GENERATOR_TABLE } from './memory';
export { addLater, addWaiting, copySigned, double, isOnCurve } from './point';
export { add256, isBelow, mulScalar, sub256 } from './scalar';
export { takeMultiples } from './table';
