// libsecp256k1 in C, as the native addon of the package secp256k1 (its repository is secp256k1-node). The package falls back to JavaScript where
// there is no addon; what is loaded here is the addon or nothing.

import { createRequire } from 'node:module';

export const secp256k1Addon = {
  name: 'secp256k1-node',
  package: 'secp256k1',
  kind: 'native',
  load: async () => {
    const addon = createRequire(import.meta.url)('secp256k1/bindings.js');
    return {
      'secp256k1.sign': (items) => (i) => addon.ecdsaSign(items[i].message, items[i].secretKey).signature,
      'secp256k1.verify': (items) => (i) =>
        addon.ecdsaVerify(items[i].signature, items[i].message, items[i].publicKey),
      'secp256k1.recover': (items) => (i) =>
        addon.ecdsaRecover(items[i].signature, items[i].recovered[0], items[i].message),
      'secp256k1.publicKey': (items) => (i) => addon.publicKeyCreate(items[i].secretKey),
    };
  },
};
