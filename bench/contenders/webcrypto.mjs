// The browser's own Ed25519. Asynchronous: every call is awaited. Prepared means CryptoKeys.

const PKCS8_ED25519 = Uint8Array.from([
  0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20,
]);

export const webCrypto = {
  name: 'WebCrypto',
  kind: 'browser',
  async: true,
  load: async () => {
    const { subtle } = globalThis.crypto;
    const secret = ({ secretKey }) =>
      subtle.importKey('pkcs8', new Uint8Array([...PKCS8_ED25519, ...secretKey]), 'Ed25519', false, ['sign']);
    await secret({ secretKey: new Uint8Array(32) }); // throws where there is no Ed25519
    return {
      'ed25519.sign': async (items) => {
        const keys = await Promise.all(items.map(secret));
        return async (i) => new Uint8Array(await subtle.sign('Ed25519', keys[i], items[i].message));
      },
      'ed25519.verify': async (items) => {
        const keys = await Promise.all(
          items.map(({ publicKey }) => subtle.importKey('raw', publicKey, 'Ed25519', false, ['verify'])),
        );
        return (i) => subtle.verify('Ed25519', keys[i], items[i].signature, items[i].message);
      },
    };
  },
};
