// How SECP256K1_SPACE, which the loader wipes after every call, is shared among the files of this folder. Scratch space
// of functions that see secrets is here and nowhere else.

import { SECP256K1_BATCH_SPACE, SECP256K1_SPACE } from '../memory';

export const FIELD_SPACE: usize = SECP256K1_SPACE; // 512
export const SCALAR_SPACE: usize = SECP256K1_SPACE + 512; // 256
export const POINT_SPACE: usize = SECP256K1_SPACE + 768; // 768
export const MULT_SPACE: usize = SECP256K1_SPACE + 1536; // 256
export const RFC6979_SPACE: usize = SECP256K1_SPACE + 1792; // 512
export const ECDSA_SPACE: usize = SECP256K1_SPACE + 2304; // 1024
export const SCHNORR_SPACE: usize = SECP256K1_SPACE + 3328; // 768

// The same of SECP256K1_BATCH_SPACE, for up to 64 signatures.
export const BATCH_SIGNING: usize = SECP256K1_BATCH_SPACE; // 10368
export const BATCH_MULT: usize = SECP256K1_BATCH_SPACE + 10368; // 50944
