export {
  type Ed25519KeyPair,
  type Ed25519SignOptions,
  type Ed25519VerifyOptions,
  ed25519,
} from './ed25519.js';
export { type SchnorrKeyPair, schnorr } from './schnorr.js';
export {
  type Secp256k1KeyPair,
  type Secp256k1RecoverOptions,
  type Secp256k1SignatureFormat,
  type Secp256k1SignOptions,
  type Secp256k1VerifyOptions,
  secp256k1,
} from './secp256k1.js';
export type { PreparedKey, SignedMessage } from './types.js';
