// libsodium compiled to WASM. Its secret key of 64 bytes is what prepared means here.

export const libsodium = {
  name: 'libsodium.js',
  package: 'libsodium-wrappers',
  kind: 'WASM',
  load: async () => {
    const { default: sodium } = await import('libsodium-wrappers');
    await sodium.ready;
    return {
      'ed25519.sign': (items) => {
        const keys = items.map(({ secretKey }) => sodium.crypto_sign_seed_keypair(secretKey).privateKey);
        return (i) => sodium.crypto_sign_detached(items[i].message, keys[i]);
      },
      'ed25519.signFromSeed': (items) => (i) =>
        sodium.crypto_sign_detached(
          items[i].message,
          sodium.crypto_sign_seed_keypair(items[i].secretKey).privateKey,
        ),
      'ed25519.verify': (items) => (i) =>
        sodium.crypto_sign_verify_detached(items[i].signature, items[i].message, items[i].publicKey),
      'ed25519.publicKey': (items) => (i) => sodium.crypto_sign_seed_keypair(items[i].secretKey).publicKey,
    };
  },
};
