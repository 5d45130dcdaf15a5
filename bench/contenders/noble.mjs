// Plain JavaScript. It has no prepared keys, and verifies its Schnorr signatures before it returns them.

const digest = Object.freeze({ prehash: false });

export const noble = {
  name: '@noble/curves',
  package: '@noble/curves',
  kind: 'JavaScript',
  load: async () => {
    const { ed25519 } = await import('@noble/curves/ed25519.js');
    const { schnorr, secp256k1 } = await import('@noble/curves/secp256k1.js');
    const sign = (items) => (i) => ed25519.sign(items[i].message, items[i].secretKey);
    return {
      'ed25519.sign': sign,
      'ed25519.signFromSeed': sign,
      'ed25519.verify': (items) => (i) =>
        ed25519.verify(items[i].signature, items[i].message, items[i].publicKey),
      'ed25519.publicKey': (items) => (i) => ed25519.getPublicKey(items[i].secretKey),
      'secp256k1.sign': (items) => (i) => secp256k1.sign(items[i].message, items[i].secretKey, digest),
      'secp256k1.verify': (items) => (i) =>
        secp256k1.verify(items[i].signature, items[i].message, items[i].publicKey, digest),
      'secp256k1.recover': (items) => (i) =>
        secp256k1.recoverPublicKey(items[i].recovered, items[i].message, digest),
      'secp256k1.publicKey': (items) => (i) => secp256k1.getPublicKey(items[i].secretKey),
      'schnorr.sign': (items) => (i) => schnorr.sign(items[i].message, items[i].secretKey, items[i].auxRand),
      'schnorr.verify': (items) => (i) =>
        schnorr.verify(items[i].signature, items[i].message, items[i].publicKey),
    };
  },
};
