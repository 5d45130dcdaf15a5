// Signing with keys that pkcs11-tool made on a real SoftHSM token.

import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { secp256k1 } from '../../../src/curves/index.js';
import { SignerError } from '../../../src/errors.js';
import { Cryptoki } from '../../../src/signers/pkcs11/module/cryptoki.js';
import { Pkcs11Signer } from '../../../src/signers/pkcs11/pkcs11-signer.js';
import type { PublicKey } from '../../../src/signers/public-key.js';
import type { Signature } from '../../../src/signers/signature.js';
import { verifySignature } from '../../../src/signers/verify.js';
import { failureOf } from '../../fixtures/outcomes.js';
import { createSoftHsmToken, type SoftHsmToken } from '../../fixtures/softhsm.js';

const run = promisify(execFile);
const algorithms = ['ed25519', 'secp256k1', 'p256'] as const;
const N = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;

let token: SoftHsmToken;
beforeAll(async () => {
  token = await createSoftHsmToken({ keys: algorithms, inProcess: true });
});
afterAll(() => token.remove());

async function opensslVerifies(key: PublicKey, data: Uint8Array, signature: Signature): Promise<boolean> {
  const file = (name: string) => join(token.directory, name);
  await writeFile(file('key.pem'), key.toPem());
  await writeFile(file('data'), data);
  await writeFile(file('signature'), key.algorithm === 'ed25519' ? signature.bytes : signature.toDer());
  const args =
    key.algorithm === 'ed25519'
      ? ['pkeyutl', '-verify', '-pubin', '-inkey', file('key.pem'), '-rawin', '-in', file('data'), '-sigfile']
      : ['dgst', '-sha256', '-verify', file('key.pem'), '-signature'];
  const rest = key.algorithm === 'ed25519' ? [file('signature')] : [file('signature'), file('data')];
  return run('openssl', [...args, ...rest]).then(
    () => true,
    () => false,
  );
}

describe.each(algorithms)('%s', (algorithm) => {
  let signer: Pkcs11Signer;
  beforeAll(async () => {
    signer = await Pkcs11Signer.open(token.config(algorithm));
  });
  afterAll(() => signer.close());

  it.each([0, 1, 2, 31, 32, 33, 64, 1000, 1001, 100_000, 1 << 20])('signs %i bytes', async (length) => {
    const data = Uint8Array.from(randomBytes(length));
    const signature = await signer.sign(data);
    expect(signature.algorithm).toBe(algorithm);
    expect(signature.bytes).toHaveLength(64);
    expect(await verifySignature(await signer.publicKey(), data, signature)).toBe(true);
  });

  it('makes signatures that OpenSSL accepts, and only over the same data', async () => {
    const data = randomBytes(1000);
    const signature = await signer.sign(data);
    const key = await signer.publicKey();
    expect(await opensslVerifies(key, data, signature)).toBe(true);
    expect(await opensslVerifies(key, data.subarray(1), signature)).toBe(false);
  });

  it('has the public key that OpenSC reads', async () => {
    const id = String(algorithms.indexOf(algorithm) + 1).padStart(2, '0');
    const file = join(token.directory, `${algorithm}.der`);
    await token.pkcs11Tool('--read-object', '--type', 'pubkey', '--id', id, '--output-file', file);
    const { stdout } = await run('openssl', ['pkey', '-pubin', '-inform', 'DER', '-in', file]).catch(() => ({
      stdout: '',
    }));
    const pem = (await signer.publicKey()).toPem();
    // OpenSC 0.23 writes Ed25519 public keys as the bare EC_POINT.
    if (stdout !== '') expect(stdout.trim()).toBe(pem.trim());
    else expect(algorithm).toBe('ed25519');
  });

  it('describes itself, also when closed', async () => {
    const info = signer.signerInfo();
    expect(info).toMatchObject({ signerType: 'pkcs11', algorithm });
    expect(info.metadata).toMatchObject({
      manufacturer: 'SoftHSM project',
      model: 'SoftHSM v2',
      tokenLabel: token.tokenLabel,
      keyLabel: algorithm,
      keyId: `0${algorithms.indexOf(algorithm) + 1}`,
      mechanism: algorithm === 'ed25519' ? 'CKM_EDDSA' : 'CKM_ECDSA',
    });
    expect(info.metadata.serial).toMatch(/^[0-9a-f]{16}$/);
    expect(JSON.stringify(info)).not.toContain(token.pin);
    info.metadata.serial = 'changed';
    expect(signer.signerInfo().metadata.serial).not.toBe('changed');
  });

  it('copies data at the call', async () => {
    const data = new Uint8Array(100).fill(7);
    const promise = signer.sign(data);
    data.fill(0);
    expect(await verifySignature(await signer.publicKey(), new Uint8Array(100).fill(7), await promise)).toBe(
      true,
    );
  });

  it('refuses wrong arguments before any work', async () => {
    const signInit = vi.spyOn(Cryptoki.prototype, 'signInit');
    await expect(signer.sign('text' as never)).rejects.toThrow(TypeError);
    await expect(signer.sign([1, 2] as never)).rejects.toThrow(TypeError);
    await expect(signer.signBatch(new Uint8Array(3) as never)).rejects.toThrow(TypeError);
    await expect(signer.signBatch([new Uint8Array(), 'x' as never])).rejects.toThrow(TypeError);
    const error = algorithm === 'ed25519' ? TypeError : RangeError;
    for (const length of [0, 1, 20, 31, 33, 64]) {
      await expect(signer.sign(new Uint8Array(length), { prehashed: true })).rejects.toThrow(error);
      await expect(signer.signBatch([new Uint8Array(length)], { prehashed: true })).rejects.toThrow(error);
    }
    expect(signInit).not.toHaveBeenCalled();
    signInit.mockRestore();
  });

  it('signs batches in order', async () => {
    const messages = Array.from({ length: 10 }, (_, i) => Uint8Array.of(i));
    const signatures = await signer.signBatch(messages);
    expect(signatures).toHaveLength(10);
    for (const [i, message] of messages.entries()) {
      expect(await verifySignature(await signer.publicKey(), message, signatures[i]!)).toBe(true);
    }
    expect(await signer.signBatch([])).toEqual([]);
  });

  it('signs 200 at once', async () => {
    const messages = Array.from({ length: 200 }, () => randomBytes(40));
    const signatures = await Promise.all(messages.map((message) => signer.sign(message)));
    const key = await signer.publicKey();
    const valid = await Promise.all(
      messages.map((message, i) => verifySignature(key, message, signatures[i]!)),
    );
    expect(valid.filter(Boolean)).toHaveLength(200);
  });
});

describe('ECDSA', () => {
  it.each(['secp256k1', 'p256'] as const)('%s: a digest and its data mean the same', async (algorithm) => {
    await using signer = await Pkcs11Signer.open(token.config(algorithm));
    const data = randomBytes(100);
    const digest = createHash('sha256').update(data).digest();
    const key = await signer.publicKey();
    const signature = await signer.sign(digest, { prehashed: true });
    expect(await verifySignature(key, data, signature)).toBe(true);
    expect(await verifySignature(key, digest, await signer.sign(data), { prehashed: true })).toBe(true);
    expect(await verifySignature(key, digest, signature)).toBe(false);
  });

  it('secp256k1 is low-S and carries its recovery id, whatever the token gave', async () => {
    await using signer = await Pkcs11Signer.open(token.config('secp256k1'));
    const raw = (await signer.publicKey()).raw;
    const made: Uint8Array[] = [];
    const original = Cryptoki.prototype.signAsync;
    const fromToken = vi.spyOn(Cryptoki.prototype, 'signAsync').mockImplementation(async function (
      this: Cryptoki,
      ...args
    ) {
      const bytes = await original.apply(this, args);
      made.push(Uint8Array.from(bytes)); // its buffer is used again
      return bytes;
    });
    const seen = new Set<number>();
    for (let i = 0; i < 40; i++) {
      const digest = randomBytes(32);
      const signature = await signer.sign(digest, { prehashed: true });
      const s = BigInt(`0x${Buffer.from(signature.bytes.subarray(32)).toString('hex')}`);
      expect(s <= N / 2n).toBe(true);
      seen.add(signature.recovery!);
      const recovered = secp256k1.recoverPublicKey(signature.toRecovered(), digest, { prehash: false });
      expect(recovered).toEqual(raw);
    }
    const highS = made.filter(
      (bytes) => BigInt(`0x${Buffer.from(bytes.subarray(32)).toString('hex')}`) > N / 2n,
    );
    expect(highS.length).toBeGreaterThan(0);
    expect(highS.length).toBeLessThan(40);
    expect(seen).toEqual(new Set([0, 1]));
    fromToken.mockRestore();
  });
});

describe('what the token made', () => {
  it.each([
    ['another signature', (bytes: Uint8Array) => bytes.map((byte, i) => (i === 5 ? byte ^ 1 : byte))],
    ['zeros', (bytes: Uint8Array) => bytes.map(() => 0)],
    ['63 bytes', (bytes: Uint8Array) => bytes.subarray(1)],
    ['nothing', () => new Uint8Array()],
  ])('is not released where it is %s', async (_, change) => {
    for (const algorithm of algorithms) {
      await using signer = await Pkcs11Signer.open(token.config(algorithm));
      const original = Cryptoki.prototype.signAsync;
      const faulty = vi.spyOn(Cryptoki.prototype, 'signAsync').mockImplementationOnce(async function (
        this: Cryptoki,
        ...args
      ) {
        return Buffer.from(change(await original.apply(this, args)));
      });
      const error = await failureOf(signer.sign(randomBytes(32)));
      faulty.mockRestore();
      expect(error.code).toBe('signature-invalid');
      expect(await signer.sign(randomBytes(32))).toBeDefined();
    }
  });
});

describe('a signal', () => {
  it('that is aborted already spends no signature', async () => {
    await using signer = await Pkcs11Signer.open(token.config('ed25519'));
    const signInit = vi.spyOn(Cryptoki.prototype, 'signInit');
    const signal = AbortSignal.abort(new Error('no more'));
    await expect(signer.sign(new Uint8Array(1), { signal })).rejects.toThrow('no more');
    await expect(signer.signBatch([new Uint8Array(1)], { signal })).rejects.toThrow('no more');
    await expect(signer.signBatch([], { signal })).rejects.toThrow('no more');
    expect(signInit).not.toHaveBeenCalled();
    signInit.mockRestore();
  });

  it('takes out of the queue what has not reached the token', async () => {
    await using signer = await Pkcs11Signer.open({ ...token.config('ed25519'), maxSessions: 1 });
    const signInit = vi.spyOn(Cryptoki.prototype, 'signInit');
    const abort = new AbortController();
    const before = signer.sign(Uint8Array.of(1));
    const queued = Array.from({ length: 20 }, () => signer.sign(Uint8Array.of(2), { signal: abort.signal }));
    const after = signer.sign(Uint8Array.of(3));
    abort.abort(new Error('no more'));
    const results = await Promise.allSettled(queued);
    expect(results.map((result) => result.status === 'rejected' && result.reason.message)).toEqual(
      Array.from({ length: 20 }, () => 'no more'),
    );
    await Promise.all([before, after]);
    expect(signInit).toHaveBeenCalledTimes(2);
    signInit.mockRestore();
  });
});

describe('close', () => {
  it('lets what is running finish, refuses what comes later, and may be repeated', async () => {
    const signer = await Pkcs11Signer.open(token.config('p256'));
    const key = await signer.publicKey();
    const messages = Array.from({ length: 30 }, (_, i) => Uint8Array.of(i));
    const running = messages.map((message) => signer.sign(message));
    const batch = signer.signBatch(messages);
    const closed = signer.close();
    const late = [signer.sign(Uint8Array.of(1)), signer.signBatch([]), signer.publicKey()].map(failureOf);
    for (const error of await Promise.all(late)) {
      expect(error).toBeInstanceOf(SignerError);
      expect(error.code).toBe('signer-closed');
    }
    await closed;
    for (const [i, signature] of (await Promise.all([...running, ...(await batch)])).entries()) {
      expect(await verifySignature(key, messages[i % 30]!, signature)).toBe(true);
    }
    await signer.close();
    expect(signer.signerInfo().algorithm).toBe('p256');
  });

  it('of one signer leaves the others on the token alone', async () => {
    const [a, b] = await Promise.all([
      Pkcs11Signer.open(token.config('p256')),
      Pkcs11Signer.open(token.config('p256')),
    ]);
    await a.close();
    await b.sign(Uint8Array.of(1));
    await b.close();
  });

  it('of the last one finalizes the module, and it can be opened again', async () => {
    const finalize = vi.spyOn(Cryptoki.prototype, 'finalize');
    for (let i = 0; i < 3; i++) {
      const signer = await Pkcs11Signer.open(token.config('ed25519'));
      const pending = signer.sign(Uint8Array.of(i));
      await signer.close();
      await pending;
      expect(finalize).toHaveBeenCalledTimes(i + 1);
    }
    finalize.mockRestore();
  });

  it('may race with opening', async () => {
    for (let i = 0; i < 10; i++) {
      const first = await Pkcs11Signer.open(token.config('ed25519'));
      const [second] = await Promise.all([Pkcs11Signer.open(token.config('ed25519')), first.close()]);
      await second.sign(Uint8Array.of(i));
      await second.close();
    }
  });
});
