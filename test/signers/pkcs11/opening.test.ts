// Which token, which key: every selector, and what is said where the choice fails.

import { generateKeyPairSync } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { KeyError, Pkcs11Error, type SignerError } from '../../../src/errors.js';
import type { Pkcs11Config } from '../../../src/signers/config/config.js';
import { Pkcs11Signer } from '../../../src/signers/pkcs11/pkcs11-signer.js';
import { verifySignature } from '../../../src/signers/verify.js';
import { createSoftHsmToken, SOFTHSM_MODULE, type SoftHsmToken } from '../../fixtures/softhsm.js';

const algorithms = ['ed25519', 'secp256k1', 'p256'] as const;
const PIN2 = '87654321';

let token: SoftHsmToken;
let serial: string;
beforeAll(async () => {
  token = await createSoftHsmToken({ keys: algorithms });
  await token.addToken('one key', PIN2);
  await token.addKey(
    { algorithm: 'secp256k1', label: 'lonely', idHex: 'abcd' },
    { label: 'one key', pin: PIN2 },
  );
  await token.addToken('twin', PIN2);
  await token.addToken('twin', PIN2);
  await token.addToken('empty', PIN2);
  const signer = await Pkcs11Signer.open(token.config('p256'));
  serial = signer.signerInfo().metadata.serial!;
  await signer.close();
});
afterAll(() => token.remove());

async function open(config: Pkcs11Config): Promise<Pkcs11Signer> {
  const signer = await Pkcs11Signer.open(config);
  const data = Uint8Array.of(1, 2, 3);
  expect(await verifySignature(await signer.publicKey(), data, await signer.sign(data))).toBe(true);
  await signer.close();
  return signer;
}

const failure = (config: Pkcs11Config): Promise<SignerError> =>
  Pkcs11Signer.open(config).then(
    () => expect.unreachable('did not fail'),
    (error) => error,
  );

describe.each(algorithms)('a key is found: %s', (algorithm) => {
  const idHex = `0${algorithms.indexOf(algorithm) + 1}`;
  const pivSlot = ['9a', '9c', '9d'][algorithms.indexOf(algorithm)]!;
  const label = (signer: Pkcs11Signer) => signer.signerInfo().metadata.keyLabel;

  it('by label', async () => {
    expect(label(await open(token.config(algorithm)))).toBe(algorithm);
  });

  it('by id', async () => {
    expect(label(await open({ ...token.config(), keyIdHex: idHex }))).toBe(algorithm);
  });

  it('by PIV slot', async () => {
    expect(label(await open({ ...token.config(), pivSlot }))).toBe(algorithm);
  });

  it('by URI', async () => {
    const { modulePath, pin } = token;
    const byLabel = `pkcs11:token=test%20token;object=${algorithm};type=private?module-path=${modulePath}&pin-value=${pin}`;
    expect(label(await open({ uri: byLabel }))).toBe(algorithm);
    expect(label(await open({ modulePath, pin, uri: `pkcs11:serial=${serial};id=%${idHex}` }))).toBe(
      algorithm,
    );
    const file = join(token.directory, 'pin');
    await writeFile(file, `${pin}\n`, { mode: 0o600 });
    const byFile = `pkcs11:serial=${serial};manufacturer=SoftHSM%20project;model=SoftHSM%20v2;id=%${idHex}?pin-source=file://${file}`;
    expect(label(await open({ modulePath, uri: byFile }))).toBe(algorithm);
    const byCommand = `pkcs11:token=test%20token;id=%${idHex}?pin-source=%7Ccat%20${file}`;
    expect(label(await open({ modulePath, uri: byCommand }))).toBe(algorithm);
  });

  it('by algorithm, where that leaves one', async () => {
    expect(label(await open({ ...token.config(), algorithm }))).toBe(algorithm);
  });

  it('when it has the expected public key', async () => {
    const signer = await Pkcs11Signer.open(token.config(algorithm));
    const publicKeyPem = (await signer.publicKey()).toPem();
    await signer.close();
    await open({ ...token.config(algorithm), publicKeyPem });
    const other = algorithms.find((name) => name !== algorithm)!;
    expect(await failure({ ...token.config(other), publicKeyPem })).toMatchObject({ code: 'key-mismatch' });
    const type = algorithm === 'ed25519' ? 'ed25519' : 'ec';
    const namedCurve = algorithm === 'p256' ? 'prime256v1' : 'secp256k1';
    const stranger = generateKeyPairSync(type as 'ec', { namedCurve }).publicKey;
    const strangerPem = stranger.export({ type: 'spki', format: 'pem' }) as string;
    expect(await failure({ ...token.config(algorithm), publicKeyPem: strangerPem })).toMatchObject({
      code: 'key-mismatch',
      message: expect.stringContaining('ERST_PKCS11_PUBLIC_KEY_PEM'),
    });
  });

  it('only with the algorithm that is set', async () => {
    await open({ ...token.config(algorithm), algorithm });
    const other = algorithms.find((name) => name !== algorithm)!;
    expect(await failure({ ...token.config(algorithm), algorithm: other })).toMatchObject({
      code: 'key-mismatch',
    });
  });
});

describe('a token', () => {
  it('is found by position, alone or with its label', async () => {
    const { modulePath } = token;
    const listing = (await failure({ modulePath, tokenLabel: '?' })).message;
    const slotIndex = Number(/\[(\d)\] "one key"/.exec(listing)![1]);
    const signer = await open({ modulePath, slotIndex, pin: PIN2 });
    expect(signer.signerInfo().metadata.tokenLabel).toBe('one key');
    expect(listing).toContain('[5] not initialized');
    await open({ modulePath, slotIndex, tokenLabel: 'one key', pin: PIN2 });
    expect(await failure({ modulePath, slotIndex, tokenLabel: 'empty', pin: PIN2 })).toMatchObject({
      code: 'token-not-found',
    });
  });

  it('that is ambiguous is an error with the candidates', async () => {
    const error = await failure({ modulePath: SOFTHSM_MODULE, tokenLabel: 'twin', pin: PIN2 });
    expect(error).toBeInstanceOf(Pkcs11Error);
    expect(error.code).toBe('token-ambiguous');
    expect(error.message.match(/\[\d\] "twin" \(SoftHSM v2, serial [0-9a-f]{16}\)/g)).toHaveLength(2);
    expect((await failure({ modulePath: SOFTHSM_MODULE, pin: PIN2 })).code).toBe('token-ambiguous');
  });

  it('that is missing is an error with what is there', async () => {
    const error = await failure({ modulePath: SOFTHSM_MODULE, tokenLabel: 'absent', pin: PIN2 });
    expect(error.code).toBe('token-not-found');
    expect(error.message).toContain('label "absent"');
    expect(error.message).toContain('"test token"');
    expect((await failure({ modulePath: SOFTHSM_MODULE, slotIndex: 99, pin: PIN2 })).code).toBe(
      'token-not-found',
    );
  });
});

describe('a key', () => {
  it('that is the only one needs no selector', async () => {
    const signer = await open({ modulePath: SOFTHSM_MODULE, tokenLabel: 'one key', pin: PIN2 });
    expect(signer.signerInfo().metadata).toMatchObject({ keyLabel: 'lonely', keyId: 'abcd' });
  });

  it('that is ambiguous is an error with the candidates', async () => {
    const error = await failure(token.config());
    expect(error.code).toBe('key-ambiguous');
    for (const algorithm of algorithms) expect(error.message).toContain(`"${algorithm}"`);
  });

  it('that is unknown is an error with what is there', async () => {
    for (const config of [
      token.config('absent'),
      { ...token.config(), keyIdHex: 'ff' },
      { ...token.config(), pivSlot: 'f9' },
    ]) {
      const error = await failure(config);
      expect(error.code).toBe('key-not-found');
      expect(error.message).toContain('"ed25519" (id 01, ed25519)');
    }
    const error = await failure({ modulePath: SOFTHSM_MODULE, tokenLabel: 'empty', pin: PIN2 });
    expect(error.code).toBe('key-not-found');
    expect(error.message).toContain('There is no private key.');
  });

  it('must match label and id, where both are given', async () => {
    await open({ ...token.config('ed25519'), keyIdHex: '01' });
    expect((await failure({ ...token.config('ed25519'), keyIdHex: '02' })).code).toBe('key-not-found');
  });

  it('with an unreadable expected key is refused before any work', async () => {
    expect(await failure({ modulePath: '/nowhere.so', publicKeyPem: 'nonsense' })).toBeInstanceOf(KeyError);
  });
});
