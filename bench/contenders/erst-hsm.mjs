// The curves of this tree, or of another build of them.

const digest = Object.freeze({ prehash: false });

export const ours = (name, curves) => ({
  name,
  kind: 'WASM',
  load: async () => cells(await curves()),
});

function cells({ ed25519, secp256k1, schnorr }) {
  return {
    'ed25519.sign': (items) => {
      const keys = items.map(({ secretKey }) => ed25519.prepare(secretKey));
      return (i) => keys[i].sign(items[i].message);
    },
    'ed25519.signFromSeed': (items) => (i) => ed25519.sign(items[i].message, items[i].secretKey),
    'ed25519.verify': (items) => (i) =>
      ed25519.verify(items[i].signature, items[i].message, items[i].publicKey),
    'ed25519.publicKey': (items) => (i) => ed25519.getPublicKey(items[i].secretKey),
    'ed25519.signBatch': (items) => {
      const key = ed25519.prepare(items[0].secretKey);
      const messages = items.map(({ message }) => message);
      return () => key.signBatch(messages);
    },
    'ed25519.verifyBatch': (items) => () => ed25519.verifyBatch(items),
    'secp256k1.sign': (items) => {
      const keys = items.map(({ secretKey }) => secp256k1.prepare(secretKey));
      return (i) => keys[i].sign(items[i].message, digest);
    },
    'secp256k1.verify': (items) => (i) =>
      secp256k1.verify(items[i].signature, items[i].message, items[i].publicKey, digest),
    'secp256k1.recover': (items) => (i) =>
      secp256k1.recoverPublicKey(items[i].recovered, items[i].message, digest),
    'secp256k1.publicKey': (items) => (i) => secp256k1.getPublicKey(items[i].secretKey),
    'schnorr.sign': (items) => {
      if (schnorr.prepare === undefined)
        return (i) => schnorr.sign(items[i].message, items[i].secretKey, items[i].auxRand);
      const keys = items.map(({ secretKey }) => schnorr.prepare(secretKey));
      return (i) => keys[i].sign(items[i].message, items[i].auxRand);
    },
    'schnorr.verify': (items) => (i) =>
      schnorr.verify(items[i].signature, items[i].message, items[i].publicKey),
  };
}
