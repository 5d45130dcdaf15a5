// What tests use.

export { loadCurves } from './curves.mjs';
export { instrument } from './instrument.mjs';
export { compileWithNames, isSameCode } from './names.mjs';
export { operations, variableTime } from './operations.mjs';
export { describeDifference, openTrace } from './trace.mjs';
