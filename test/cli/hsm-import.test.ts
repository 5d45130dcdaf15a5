// `erst-hsm hsm import` on a real SoftHSM token, of keys that openssl wrote.

import { execFile } from 'node:child_process';
import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Pkcs11Signer } from '../../src/signers/pkcs11/pkcs11-signer.js';
import { verifySignature } from '../../src/signers/verify.js';
import { createSoftHsmToken, type SoftHsmToken } from '../fixtures/softhsm.js';
import { useCommand } from './command.js';
import { atTerminal, failureOf, hsm, runHsm, useVariables, variablesOf } from './hsm-command.js';

const run = promisify(execFile);
const command = useCommand();
let token: SoftHsmToken;
beforeAll(async () => {
  token = await createSoftHsmToken({ keys: [{ algorithm: 'p256', label: 'taken' }] });
});
afterAll(() => token.remove());
useVariables(() => token);

const openssl = (...args: string[]) => run('openssl', args, { cwd: token.directory });
const at = (name: string) => join(token.directory, name);
const keyFile = async (name: string, pem: string) => {
  await writeFile(at(name), pem, { mode: 0o600 });
  return at(name);
};

const formats = [
  ['ed25519', 'pkcs8', ['genpkey', '-algorithm', 'ed25519']],
  ['secp256k1', 'pkcs8', ['genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:secp256k1']],
  ['secp256k1', 'sec1', ['ecparam', '-name', 'secp256k1', '-genkey']],
  ['p256', 'pkcs8', ['genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256']],
  ['p256', 'sec1', ['ecparam', '-name', 'prime256v1', '-genkey']],
] as const;

describe('hsm import', () => {
  it.each(formats)('puts a %s key on the token (%s)', async (algorithm, format, args) => {
    const label = `${algorithm} ${format}`;
    await openssl(...args, '-out', 'key.pem');
    await openssl('pkey', '-in', 'key.pem', '-pubout', '-out', 'public.pem');
    const { out: pem, notes } = await runHsm('import', at('key.pem'), '--label', label);
    expect(pem).toBe(await readFile(at('public.pem'), 'utf8'));
    expect(notes).toContain('stays exposed');
    await using signer = await Pkcs11Signer.open({ ...token.config(label), publicKeyPem: pem, algorithm });
    const data = Uint8Array.of(1, 2, 3);
    expect(await verifySignature(await signer.publicKey(), data, await signer.sign(data))).toBe(true);
    const shown = JSON.parse(await hsm('keys', '--json')).find(
      (key: { label: string }) => key.label === label,
    );
    expect(shown).toMatchObject({ algorithm, signs: 'yes', origin: 'imported', leaves: 'no' });
    const listed = await token.pkcs11Tool('--list-objects', '--type', 'privkey');
    const object = listed.split('Private Key Object').find((one) => one.includes(label));
    expect(object).toMatch(/Access: +sensitive\n/);
  });

  it.each(['ed25519', 'p256'])('opens an encrypted %s key', async (algorithm) => {
    const [, , args] = formats.find(([name, format]) => name === algorithm && format === 'pkcs8')!;
    await openssl(...args, '-aes256', '-pass', 'pass:correct horse', '-out', 'secret.pem');
    const importAs = (label: string) => hsm('import', at('secret.pem'), '--label', label, '--json');
    process.env.ERST_SOFTWARE_PASSPHRASE = 'wrong horse';
    expect((await failureOf(importAs('e'))).code).toBe('wrong-passphrase');
    process.env.ERST_SOFTWARE_PASSPHRASE = 'correct horse';
    const made = JSON.parse(await importAs(`encrypted ${algorithm}`));
    expect(made).toMatchObject({ algorithm, id: expect.stringMatching(/^[0-9a-f]{16}$/) });
    const key = createPrivateKey({ key: await readFile(at('secret.pem')), passphrase: 'correct horse' });
    expect(made.publicKeyPem).toBe(createPublicKey(key).export({ format: 'pem', type: 'spki' }));
  });

  it('reads standard input, and asks for what it needs at a terminal', async () => {
    const env = { ...variablesOf(token), SOFTHSM2_CONF: token.env.SOFTHSM2_CONF! };
    const { stdout: pem } = await openssl('genpkey', '-algorithm', 'ed25519');
    const { code, out, stderr } = await command.run(['hsm', 'import', '-', '--label', 'piped'], {
      env,
      input: pem,
    });
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringContaining('stays exposed') });
    expect(`${out}\n`).toBe(createPublicKey(pem).export({ format: 'pem', type: 'spki' }));

    await openssl('genpkey', '-algorithm', 'ed25519', '-aes256', '-pass', 'pass:horse', '-out', 'asked.pem');
    const { ERST_PKCS11_PIN_FILE: _, ...withoutPin } = env;
    const screen = await atTerminal(
      command,
      ['hsm', 'import', at('asked.pem'), '--label', 'asked'],
      withoutPin,
      [
        { question: 'asked.pem: ', answer: 'horse' },
        { question: 'PIN of token "test token": ', answer: token.pin },
      ],
    );
    expect(screen).toContain('key "asked"');
    for (const secret of ['horse', token.pin]) expect(screen).not.toContain(secret);
  });

  it('refuses a file whose public key belongs to another private key', async () => {
    const sec1 = () => generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).privateKey;
    const [one, other] = [sec1(), sec1()].map((key) => key.export({ format: 'der', type: 'sec1' }));
    // RFC 5915: the public key is the last 65 bytes.
    const mixed = Buffer.concat([one!.subarray(0, -65), other!.subarray(-65)]);
    const pem = `-----BEGIN EC PRIVATE KEY-----\n${mixed.toString('base64')}\n-----END EC PRIVATE KEY-----\n`;
    const error = await failureOf(hsm('import', await keyFile('mixed.pem', pem), '--label', 'mixed'));
    expect(error.code).toBe('invalid-key');
    expect(await hsm('keys')).not.toContain('mixed');
  });

  it('refuses what is no key for it, and keeps keys that are there', async () => {
    await openssl('genpkey', '-algorithm', 'ed25519', '-out', 'key.pem');
    await openssl('genrsa', '-out', 'rsa.pem', '2048');
    await openssl('ecparam', '-name', 'secp384r1', '-genkey', '-noout', '-out', 'p384.pem');
    const before = await hsm('keys', '--json');
    for (const [file, label, code] of [
      ['rsa.pem', 'a', 'unsupported-algorithm'],
      ['p384.pem', 'a', 'unsupported-algorithm'],
      ['absent.pem', 'a', 'key-unreadable'],
      ['key.pem', 'taken', 'key-ambiguous'],
    ] as const) {
      const error = await failureOf(hsm('import', at(file), '--label', label));
      expect({ file, code: error.code }).toEqual({ file, code });
    }
    expect(await hsm('keys', '--json')).toBe(before);
  });
});
