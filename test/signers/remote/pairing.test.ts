// RemoteSigner.pair and the list of keys that a client may use.

import { describe, expect, it } from 'vitest';
import { toBase64Url, utf8 } from '../../../src/bytes.js';
import { ConfigError } from '../../../src/errors.js';
import { x25519KeyPair } from '../../../src/protocol/dh.js';
import { RemoteSigner } from '../../../src/signers/remote/remote.node.js';
import { verifySignature } from '../../../src/signers/verify.js';
import { coded, credentialsFor, ed25519, edSpki, message, secp256k1, start } from './connected.js';

describe('pairing', () => {
  it('gives credentials that JSON carries, and that connect', async () => {
    const bridge = await start();
    const credentials = await RemoteSigner.pair(bridge.link, { name: 'my laptop' });
    expect(bridge.proposedName).toBe('my laptop');
    expect(JSON.parse(JSON.stringify(credentials))).toEqual(credentials);
    expect(credentials).toEqual({
      url: bridge.url,
      bridgeKey: bridge.bridgeKey,
      identity: expect.stringMatching(/^[\w-]{43}$/),
      client: 'test-client',
      keys: {
        ed: { algorithm: 'ed25519', spki: edSpki },
        secp: { algorithm: 'secp256k1', spki: toBase64Url((await secp256k1.publicKey()).spki) },
      },
    });
    const signer = await RemoteSigner.connect({ ...credentials, key: 'secp' });
    const signature = await signer.sign(message);
    expect(await verifySignature(await secp256k1.publicKey(), message, signature)).toBe(true);
    await signer.close();
    expect(bridge.connections[1]!.clientKey).toEqual(bridge.connections[0]!.clientKey);
  });

  it('uses an identity that was made before', async () => {
    const bridge = await start();
    const identity = toBase64Url(new Uint8Array(32).fill(9));
    const credentials = await RemoteSigner.pair(bridge.link, { identity });
    expect(credentials.identity).toBe(identity);
    expect(bridge.connections[0]!.clientKey).toEqual(x25519KeyPair(new Uint8Array(32).fill(9)).publicKey);
  });

  it('says when the link is not accepted', async () => {
    const [bridge, other] = [await start(), await start()];
    other.identity = bridge.identity; // the same bridge, but another link
    const link = bridge.link.replace(`:${bridge.port}/`, `:${other.port}/`);
    const attempt = RemoteSigner.pair(link);
    await expect(attempt).rejects.toThrow(coded('client-not-accepted'));
    await expect(attempt).rejects.toThrow('Get a new one');
  });

  it('refuses what is no link, a wrong name, and plain http to elsewhere, before anything is sent', async () => {
    const bridge = await start();
    await expect(RemoteSigner.pair('hello')).rejects.toThrow(ConfigError);
    await expect(RemoteSigner.pair(bridge.link, { name: '' })).rejects.toThrow(TypeError);
    await expect(RemoteSigner.pair(bridge.link, { name: 'x'.repeat(129) })).rejects.toThrow(TypeError);
    const elsewhere = bridge.link.replace(/127\.0\.0\.1:\d+/, 'bridge.example');
    await expect(RemoteSigner.pair(elsewhere)).rejects.toThrow(expect.objectContaining({ setting: 'link' }));
    expect(bridge.connections).toHaveLength(0);
  });
});

describe('listing keys', () => {
  it('gives names, algorithms, public keys and info', async () => {
    const bridge = await start();
    const listed = await RemoteSigner.listKeys(credentialsFor(bridge));
    expect(listed.map(({ name, algorithm, info }) => ({ name, algorithm, info }))).toEqual([
      { name: 'ed', algorithm: 'ed25519', info: { signerType: 'software' } },
      { name: 'secp', algorithm: 'secp256k1', info: { signerType: 'software' } },
    ]);
    expect(listed[0]!.publicKey!.equals(await ed25519.publicKey())).toBe(true);
  });

  it('leaves out a public key that the client may not read', async () => {
    const bridge = await start({ welcome: { keys: [{ name: 'a', algorithm: 'p256', info: {} }] } });
    expect(await RemoteSigner.listKeys(credentialsFor(bridge))).toEqual([
      { name: 'a', algorithm: 'p256', publicKey: undefined, info: {} },
    ]);
  });

  it.each([
    ['another algorithm', 'p256' as const, async () => (await ed25519.publicKey()).spki],
    ['no key', 'ed25519' as const, async () => utf8('nonsense')],
  ])('refuses a public key that is %s', async (_name, algorithm, spki) => {
    const bridge = await start({
      welcome: { keys: [{ name: 'a', algorithm, spki: await spki(), info: {} }] },
    });
    await expect(RemoteSigner.listKeys(credentialsFor(bridge))).rejects.toThrow(coded('protocol-error'));
  });
});
