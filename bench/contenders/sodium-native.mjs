// libsodium in C, as a native addon. It writes into buffers of the caller, which are reused here.

export const sodiumNative = {
  name: 'sodium-native',
  package: 'sodium-native',
  kind: 'native',
  load: async () => {
    const { default: sodium } = await import('sodium-native');
    const publicKeyOut = Buffer.alloc(32);
    const secretKeyOut = Buffer.alloc(64);
    const signatureOut = Buffer.alloc(64);
    const sign = (message, secretKey) => {
      sodium.crypto_sign_detached(signatureOut, message, secretKey);
      return signatureOut;
    };
    return {
      'ed25519.sign': (items) => {
        const keys = items.map(({ secretKey }) => {
          sodium.crypto_sign_seed_keypair(publicKeyOut, secretKeyOut, secretKey);
          return Buffer.from(secretKeyOut);
        });
        return (i) => sign(items[i].message, keys[i]);
      },
      'ed25519.signFromSeed': (items) => (i) => {
        sodium.crypto_sign_seed_keypair(publicKeyOut, secretKeyOut, items[i].secretKey);
        return sign(items[i].message, secretKeyOut);
      },
      'ed25519.verify': (items) => (i) =>
        sodium.crypto_sign_verify_detached(items[i].signature, items[i].message, items[i].publicKey),
      'ed25519.publicKey': (items) => (i) => {
        sodium.crypto_sign_seed_keypair(publicKeyOut, secretKeyOut, items[i].secretKey);
        return publicKeyOut;
      },
    };
  },
};
