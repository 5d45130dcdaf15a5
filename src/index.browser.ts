// erst-hsm in browsers: as in Node, without PKCS#11 and files.

export { CredentialStore } from './browser/credential-store.js';
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
export { SignerFactory } from './signers/factory.browser.js';
export { type PublicJwk, PublicKey } from './signers/public-key.js';
export {
  type BrowserCredentials,
  type BrowserIdentity,
  type RemoteConnectOptions,
  type RemotePairOptions,
  RemoteSigner,
} from './signers/remote/remote.browser.js';
export { Signature } from './signers/signature.js';
export { type GeneratedKey, type GenerateOptions, SoftwareSigner } from './signers/software.js';
export type { Algorithm, Signer, SignerInfo, SignOptions } from './signers/types.js';
export { type VerifyOptions, verifySignature } from './signers/verify.js';
