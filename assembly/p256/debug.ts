// What only the debug build of the P-256 verifier exports: the arithmetic, for tests with limbs at the extremes of their
// bounds.

export { toBytes as fieldToBytes } from './field';
export { fromBytes as fieldFromBytes, sqr as fieldSqr } from './field-kernels';
export { modInverseVarTime, MODULUS_N, MODULUS_P } from './inverse';
