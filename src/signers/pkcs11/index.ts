export type { Attestation, AttestedDevice } from './key/attestation.js';
export { Pkcs11Signer } from './pkcs11-signer.js';
