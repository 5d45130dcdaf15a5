// libsecp256k1 compiled to WASM. Its signSchnorr computes the public key each time.

export const tinySecp256k1 = {
  name: 'tiny-secp256k1',
  package: 'tiny-secp256k1',
  kind: 'WASM',
  load: async () => {
    const tiny = await import('tiny-secp256k1');
    return {
      'secp256k1.sign': (items) => (i) => tiny.sign(items[i].message, items[i].secretKey),
      'secp256k1.verify': (items) => (i) =>
        tiny.verify(items[i].message, items[i].publicKey, items[i].signature, true),
      'secp256k1.recover': (items) => (i) =>
        tiny.recover(items[i].message, items[i].signature, items[i].recovered[0], true),
      'secp256k1.publicKey': (items) => (i) => tiny.pointFromScalar(items[i].secretKey, true),
      'schnorr.sign': (items) => (i) =>
        tiny.signSchnorr(items[i].message, items[i].secretKey, items[i].auxRand),
      'schnorr.verify': (items) => (i) =>
        tiny.verifySchnorr(items[i].message, items[i].publicKey, items[i].signature),
    };
  },
};
