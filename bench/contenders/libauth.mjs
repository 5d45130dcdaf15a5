// libsecp256k1 compiled to WASM. Low s, compact, no BIP-340: its Schnorr signatures are those of Bitcoin Cash.

export const libauth = {
  name: 'libauth',
  package: '@bitauth/libauth',
  kind: 'WASM',
  load: async () => {
    const { instantiateSecp256k1 } = await import('@bitauth/libauth');
    const secp256k1 = await instantiateSecp256k1();
    return {
      'secp256k1.sign': (items) => (i) =>
        secp256k1.signMessageHashCompact(items[i].secretKey, items[i].message),
      'secp256k1.verify': (items) => (i) =>
        secp256k1.verifySignatureCompactLowS(items[i].signature, items[i].publicKey, items[i].message),
      'secp256k1.recover': (items) => (i) =>
        secp256k1.recoverPublicKeyCompressed(items[i].signature, items[i].recovered[0], items[i].message),
      'secp256k1.publicKey': (items) => (i) => secp256k1.derivePublicKeyCompressed(items[i].secretKey),
    };
  },
};
