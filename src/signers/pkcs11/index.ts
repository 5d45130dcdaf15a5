export { Pkcs11Signer } from './pkcs11-signer.js';
