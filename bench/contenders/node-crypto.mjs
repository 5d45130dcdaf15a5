// OpenSSL, as Node has it. Prepared means KeyObjects. Its ECDSA hashes the message, takes a random nonce and any s, so
// that its signatures are verified here and not compared.

import { secp256k1 } from '@noble/curves/secp256k1.js';

const PKCS8_ED25519 = Buffer.from('302e020100300506032b657004220420', 'hex');
const SPKI_ED25519 = Buffer.from('302a300506032b6570032100', 'hex');
const SEC1_SECP256K1 = Buffer.from('302e0201010420', 'hex');
const SEC1_SECP256K1_END = Buffer.from('a00706052b8104000a', 'hex');
const SPKI_SECP256K1 = Buffer.from('3036301006072a8648ce3d020106052b8104000a032200', 'hex');

export const nodeCrypto = {
  name: 'node:crypto',
  kind: 'OpenSSL',
  version: `with OpenSSL ${process.versions.openssl}`,
  load: async () => {
    const { createPrivateKey, createPublicKey, sign, verify } = await import('node:crypto');
    const der = (type, ...parts) => ({ key: Buffer.concat(parts), format: 'der', type });
    const ed25519Secret = ({ secretKey }) => createPrivateKey(der('pkcs8', PKCS8_ED25519, secretKey));
    return {
      'ed25519.sign': (items) => {
        const keys = items.map(ed25519Secret);
        return (i) => sign(null, items[i].message, keys[i]);
      },
      'ed25519.signFromSeed': (items) => (i) => sign(null, items[i].message, ed25519Secret(items[i])),
      'ed25519.verify': (items) => {
        const keys = items.map(({ publicKey }) => createPublicKey(der('spki', SPKI_ED25519, publicKey)));
        return (i) => verify(null, items[i].message, keys[i], items[i].signature);
      },
      'secp256k1.sign': (items) => {
        const keys = items.map(({ secretKey }) => ({
          key: createPrivateKey(der('sec1', SEC1_SECP256K1, secretKey, SEC1_SECP256K1_END)),
          dsaEncoding: 'ieee-p1363',
        }));
        return (i) => sign('sha256', items[i].message, keys[i]);
      },
      'secp256k1.verify': (items) => {
        const keys = items.map(({ publicKey }) => ({
          key: createPublicKey(der('spki', SPKI_SECP256K1, publicKey)),
          dsaEncoding: 'ieee-p1363',
        }));
        return (i) => verify('sha256', items[i].message, keys[i], items[i].hashedSignature);
      },
    };
  },
  isValid: {
    'secp256k1.sign': (signature, { message, publicKey }) =>
      secp256k1.verify(signature, message, publicKey, { lowS: false }),
  },
};
