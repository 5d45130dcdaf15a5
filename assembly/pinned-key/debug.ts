// What only the debug builds export, besides the ABI: what lies under it.

export {
  copyFieldSigned as fieldCopySigned,
  fieldOf,
  invert as fieldInvert,
  isEqual as fieldIsEqual,
  isOnCurve,
  mul as fieldMul,
  mulDifference as fieldMulDifference,
  mulDifferenceSub as fieldMulDifferenceSub,
  mulScalar,
  sqrSubSub as fieldSqrSubSub,
} from './curve';
export { GENERATOR_TABLE } from './memory';
export { add256, isBelow, sub256 } from './numbers';
export { addLater, addWaiting, copySigned, double } from './point';
export { takeMultiples } from './table';
