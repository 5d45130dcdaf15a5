// erst-hsm in Node.

export {
  ConfigError,
  KeyError,
  Pkcs11Error,
  RemoteError,
  SignerError,
  type SignerErrorCode,
} from './errors.js';
export type {
  Pkcs11Config,
  RemoteConfig,
  SignerConfig,
  SignerType,
  SoftwareConfig,
} from './signers/config/config.js';
export type { PrivateKeyOptions, SoftwareAlgorithm } from './signers/encoding/private-key.js';
export { SignerFactory } from './signers/factory.node.js';
export { type Attestation, type AttestedDevice, Pkcs11Signer } from './signers/pkcs11/index.js';
export { type PublicJwk, PublicKey } from './signers/public-key.js';
export {
  type RemoteConnectOptions,
  type RemoteCredentials,
  type RemotePairOptions,
  RemoteSigner,
} from './signers/remote/remote.node.js';
export { Signature } from './signers/signature.js';
export type { GeneratedKey, GenerateOptions } from './signers/software.js';
export { SoftwareSigner } from './signers/software.node.js';
export type { Algorithm, Signer, SignerInfo, SignOptions } from './signers/types.js';
export { type VerifyOptions, verifySignature } from './signers/verify.js';
