// `erst-hsm hsm attest` through the real libykcs11 on a PIV card in software, and forged statements.

import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { TokenConnection } from '../../src/signers/pkcs11/engine/engine.js';
import { attestationOf } from '../../src/signers/pkcs11/key/attestation.js';
import { PublicKey } from '../../src/signers/public-key.js';
import { Attester } from '../fixtures/piv-card/attestation.js';
import { certificatePem, extension, issueCertificate } from '../fixtures/piv-card/certificates.js';
import { KeyPair } from '../fixtures/piv-card/key-pair.js';
import { createPivCard, OPENSC_MODULE, type PivCard, YKCS11_MODULE } from '../fixtures/piv-card/piv-card.js';
import { useCommand } from './command.js';
import { failureOf, hsm, runHsm } from './hsm-command.js';

let card: PivCard;
let directory: string;
const at = (name: string) => join(directory, name);
const before = { ...process.env };
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'erst-attest-'));
  card = await createPivCard({ keys: [{ slot: '9a' }, { slot: '9c', imported: true }, { slot: '82' }] });
  await writeFile(at('pin'), card.pin, { mode: 0o600 });
  await writeFile(at('root.pem'), card.rootCertificatePem);
  await writeFile(at('other-root.pem'), certificatePem(new Attester([5, 4, 3], 1).rootCertificate));
});
afterAll(async () => {
  await card.close();
  await rm(directory, { recursive: true, force: true });
});
beforeEach(() => {
  Object.assign(process.env, cardEnvironment());
});
afterEach(() => {
  process.exitCode = undefined;
  process.env = { ...before };
});

const cardEnvironment = () => ({
  LD_LIBRARY_PATH: card.env.LD_LIBRARY_PATH!,
  PIV_CARD_SOCKET: card.env.PIV_CARD_SOCKET!,
  ERST_PKCS11_MODULE: YKCS11_MODULE,
  ERST_PKCS11_PIN_FILE: at('pin'),
  XDG_STATE_HOME: at('state'),
});

const attest = async (...args: string[]) => JSON.parse(await hsm('attest', '--json', ...args));

describe('hsm attest', () => {
  it('shows the chain of a key that was made on the card, which openssl verifies too', async () => {
    const shown = await attest('--piv-slot', '9a', '--root', at('root.pem'));
    expect(shown).toMatchObject({
      algorithm: 'p256',
      id: '01',
      verdict: 'verified',
      device: { firmware: '5.4.3', serial: String(card.serial) },
    });
    expect(process.exitCode).toBeUndefined();
    const [leaf, device, root, ...more] = shown.chain as string[];
    expect(more).toEqual([]);
    expect(root).toBe(card.rootCertificatePem);
    await writeFile(at('leaf.pem'), leaf!);
    await writeFile(at('device.pem'), device!);
    const verify = ['verify', '-CAfile', at('root.pem'), '-untrusted', at('device.pem'), at('leaf.pem')];
    expect((await promisify(execFile)('openssl', verify)).stdout).toContain('leaf.pem: OK');
    const { stdout } = await promisify(execFile)('openssl', [
      'x509',
      '-in',
      at('leaf.pem'),
      '-noout',
      '-pubkey',
    ]);
    expect(stdout).toBe(PublicKey.fromSpki(await card.publicKey('9a')).toPem());
  });

  it('takes the root from the variable, and prints PEM', async () => {
    process.env.ERST_PKCS11_ATTESTATION_ROOT_PEM = card.rootCertificatePem;
    const { out, notes } = await runHsm('attest', '--piv-slot', '82');
    expect(notes).toMatch(/^verified: made on the device.*\nfirmware 5\.4\.3\nserial 12345678\n/);
    expect(out.match(/-----BEGIN CERTIFICATE-----/g)).toHaveLength(3);
  });

  it('does not claim to have checked what it has not', async () => {
    const shown = await attest('--piv-slot', '9a');
    expect(shown).toMatchObject({ verdict: 'not-checked', reason: expect.stringContaining('root') });
    expect(shown.chain).toHaveLength(2);
    expect(process.exitCode).toBeUndefined();
  });

  it('fails for the root of another vendor', async () => {
    const shown = await attest('--piv-slot', '9a', '--root', at('other-root.pem'));
    expect(shown.verdict).toBe('failed');
    expect(process.exitCode).toBe(1);
  });

  it('says so where there is no statement: an imported key, another module', async () => {
    expect((await failureOf(attest('--piv-slot', '9c'))).code).toBe('not-attested');
    process.env.ERST_PKCS11_MODULE = OPENSC_MODULE;
    expect((await failureOf(attest('--piv-slot', '9a'))).code).toBe('not-attested');
  });

  it('says what is wrong with a root', async () => {
    await writeFile(at('none.pem'), PublicKey.fromSpki(await card.publicKey('9a')).toPem());
    expect((await failureOf(attest('--piv-slot', '9a', '--root', at('none.pem')))).code).toBe('invalid-key');
    expect((await failureOf(attest('--piv-slot', '9a', '--root', at('absent.pem')))).code).toBe(
      'cannot-read',
    );
  });
});

describe('hsm keygen on a YubiKey', () => {
  it('names the tool that can', async () => {
    const before = await card.publicKey('9a');
    const error = await failureOf(hsm('keygen', '--algorithm', 'p256', '--label', 'x'));
    expect(error.message).toMatch(/CKR_.*ykman piv keys generate/);
    expect(await card.publicKey('9a')).toEqual(before);
    expect(await card.refusedTries()).toBe(0);
  });
});

describe('the exit code', () => {
  const command = useCommand();

  it('is 1 where the proof is not the vendor’s', async () => {
    const args = ['hsm', 'attest', '--piv-slot', '9a', '--root'];
    const run = (root: string) => command.run([...args, at(root)], { env: cardEnvironment() });
    expect(await run('root.pem')).toMatchObject({ code: 0, stderr: expect.stringMatching(/^verified: /) });
    expect(await run('other-root.pem')).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^failed: /),
    });
  });
});

describe('a forged statement', () => {
  const vendor = new Attester([5, 4, 3], 7);
  const rootPem = certificatePem(vendor.rootCertificate);
  /** A key that was made elsewhere. */
  const outside = KeyPair.generate('p256');
  const publicKey = PublicKey.fromSpki(Uint8Array.from(outside.spki));
  const key = { algorithm: 'p256', label: 'outside', idHex: '01' } as const;
  const yubicoFirmware = extension([0x2b, 6, 1, 4, 1, 0x82, 0xc4, 0x0a, 3, 3], Buffer.of(5, 4, 3));
  const statementBy = (name: string, signingKey: KeyPair, statedKey = outside) =>
    issueCertificate({
      serial: 5n,
      subject: 'YubiKey PIV Attestation 9a',
      key: statedKey,
      issuer: { name, key: signingKey },
      extensions: [yubicoFirmware],
    });
  /** Verdict on what a token shows under the key's id, and beside it. */
  const verdictOn = async (statement: Buffer, ...others: Buffer[]) => {
    const shown = [{ idHex: '01', der: statement }, ...others.map((der) => ({ idHex: '19', der }))];
    const token = { certificates: async () => shown } as unknown as TokenConnection;
    return (await attestationOf(token, key, publicKey, rootPem))?.verdict;
  };

  it('is told from a genuine one', async () => {
    const genuine = vendor.attest({ slotName: '9a', key: outside, pinPolicy: 2, touchPolicy: 1 });
    expect(await verdictOn(genuine, vendor.certificate)).toBe('verified');
    expect(await verdictOn(genuine)).toBe('failed');
  });

  it('by a device of one’s own, under the vendor’s name', async () => {
    const own = new Attester([5, 4, 3], 7);
    const statement = own.attest({ slotName: '9a', key: outside, pinPolicy: 2, touchPolicy: 1 });
    expect(await verdictOn(statement, own.certificate)).toBe('failed');
    expect(await verdictOn(statement, own.certificate, own.rootCertificate)).toBe('failed');
    expect(await verdictOn(statement, vendor.certificate)).toBe('failed');
  });

  it('by a key that the device attests, which is no CA', async () => {
    const attested = KeyPair.generate('p256');
    const middle = vendor.attest({ slotName: '9c', key: attested, pinPolicy: 2, touchPolicy: 1 });
    const statement = statementBy('YubiKey PIV Attestation 9c', attested);
    expect(await verdictOn(statement, middle, vendor.certificate)).toBe('failed');
  });

  it('about another key, or without the vendor’s extensions, is none', async () => {
    const another = vendor.attest({
      slotName: '9a',
      key: KeyPair.generate('p256'),
      pinPolicy: 2,
      touchPolicy: 1,
    });
    expect(await verdictOn(another, vendor.certificate)).toBeUndefined();
    const plain = issueCertificate({
      serial: 6n,
      subject: 'mine',
      key: outside,
      issuer: { name: 'Yubico PIV Attestation', key: vendor.key },
    });
    expect(await verdictOn(plain, vendor.certificate)).toBeUndefined();
    expect(await verdictOn(Buffer.from('3003020100', 'hex'), vendor.certificate)).toBeUndefined();
  });

  it('by the vendor’s key with one bit changed', async () => {
    const genuine = vendor.attest({ slotName: '9a', key: outside, pinPolicy: 2, touchPolicy: 1 });
    genuine[genuine.length - 1]! ^= 1;
    expect(await verdictOn(genuine, vendor.certificate)).toBe('failed');
  });
});
