// The whole ABI. Inputs and outputs are in the buffers of memory.ts, whose addresses are exported as globals;
// functions take lengths and flags, and return a status.

export { SECRETS, SECRETS_BYTES, MESSAGE, MESSAGE_BYTES } from './memory';
export { BATCH_SECRETS, BATCH_SECRETS_BYTES, BATCH_SIGNATURES } from './memory';
export { EXTRA, PREPARED_KEY, PUBLIC_KEY, SECRET_KEY, SIGNATURE } from './memory';
export {
  ed25519Absorb,
  ed25519Prepare,
  ed25519SignCommit,
  ed25519SignFinish,
  ed25519SignStart,
} from './ed25519/eddsa';
export {
  ed25519SignTogetherAdd,
  ed25519SignTogetherFinish,
  ed25519SignTogetherStart,
} from './ed25519/sign-together';
export {
  ED25519_BATCH,
  ed25519BatchAdd,
  ed25519BatchFinish,
  ed25519BatchStart,
  ed25519IsPublicKey,
  ed25519VerifyFinish,
  ed25519VerifyStart,
} from './ed25519/verify';
export {
  DIGEST,
  secp256k1Absorb,
  secp256k1BatchAdd,
  secp256k1BatchSign,
  secp256k1ConvertPublicKey,
  secp256k1HashFinish,
  secp256k1HashStart,
  secp256k1Prepare,
  secp256k1PublicKey,
  secp256k1Recover,
  secp256k1SecretFromSeed,
  secp256k1Sign,
  secp256k1Verify,
  SEED,
} from './secp256k1/ecdsa';
export {
  schnorrBatchChallenge,
  schnorrBatchCommit,
  schnorrBatchMultiply,
  schnorrPrepare,
  schnorrSignCommit,
  schnorrSignFinish,
  schnorrSignStart,
  schnorrVerifyFinish,
  schnorrVerifyStart,
} from './secp256k1/schnorr';
