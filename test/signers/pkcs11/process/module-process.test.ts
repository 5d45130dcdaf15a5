// The same calls on SoftHSM in a child and in this process must give the same.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Pkcs11Error } from '../../../../src/errors.js';
import type { KeyIdentity, KeySummary } from '../../../../src/signers/pkcs11/engine/hosted-module.js';
import { LoadedModule } from '../../../../src/signers/pkcs11/module/loaded-module.js';
import { MAX_BODY_BYTES } from '../../../../src/signers/pkcs11/process/frames.js';
import { ModuleProcess } from '../../../../src/signers/pkcs11/process/module-process.js';
import { createSoftHsmToken, type SoftHsmToken } from '../../../fixtures/softhsm.js';
import { isAlive, verified } from './fixtures.js';

let hsm: SoftHsmToken;
let child: ModuleProcess;
let here: LoadedModule;
let slot: string;

const algorithms = ['ed25519', 'secp256k1', 'p256'] as const;
const keyOf = (algorithm: (typeof algorithms)[number]): KeyIdentity => ({
  algorithm,
  label: algorithm,
  idHex: `0${algorithms.indexOf(algorithm) + 1}`,
});

const byId = (keys: KeySummary[]) => keys.toSorted((a, b) => a.idHex.localeCompare(b.idHex));

beforeAll(async () => {
  hsm = await createSoftHsmToken({ keys: algorithms });
  child = await ModuleProcess.start(hsm.modulePath);
  here = await LoadedModule.load(hsm.modulePath);
  slot = (await child.tokens())[0]!.slotHandle;
  for (const module of [child, here]) {
    await module.openToken(slot, { sessions: 2, blocking: false });
    await module.login(slot, hsm.pin);
  }
});

afterAll(async () => {
  await child?.close();
  await here?.close();
  await hsm?.remove();
});

describe('a module in a child process', () => {
  test('describes itself, its tokens and keys as it does in this process', async () => {
    expect(await child.describe()).toEqual(await here.describe());
    expect(await child.tokens()).toEqual(await here.tokens());
    expect(await child.tokenStatus(slot)).toEqual({ pin: 'ok', ownKeypad: false, loggedIn: true });
    for (const keyClass of ['private', 'public'] as const) {
      const keys = await child.keys(slot, keyClass);
      expect(keys).toHaveLength(3);
      // SoftHSM gives them in another order in each process.
      expect(byId(keys)).toEqual(byId(await here.keys(slot, keyClass)));
    }
    expect(await child.keys(slot, 'private', { idHex: '02' })).toHaveLength(1);
    expect(await child.certificates(slot)).toEqual([]);
    const absent: KeyIdentity = { algorithm: 'p256', label: 'none', idHex: '' };
    expect(await child.publicPoint(slot, absent)).toEqual(await here.publicPoint(slot, absent));
  });

  test.each(algorithms)('signs with %s', async (algorithm) => {
    const key = keyOf(algorithm);
    const point = await child.publicPoint(slot, key);
    expect(point).toEqual(await here.publicPoint(slot, key));
    const inputs = Array.from({ length: 40 }, (_, i) => new Uint8Array(32).fill(i));
    const signatures = await Promise.all(inputs.map((input) => child.sign(slot, { key, input })));
    for (const [i, signature] of signatures.entries())
      expect(verified(algorithm, point!, inputs[i]!, signature)).toBe(true);
    expect(child.inFlight).toBe(0);
  });

  test.each([0, 1, 65_000, 200_000])('signs a message of %i bytes with Ed25519', async (length) => {
    const key = keyOf('ed25519');
    const input = new Uint8Array(length).fill(0x5a);
    const signature = await child.sign(slot, { key, input });
    expect(signature).toEqual(await here.sign(slot, { key, input }));
  });

  test('makes, imports and deletes keys', async () => {
    const made: KeyIdentity = { algorithm: 'p256', label: 'made', idHex: 'aa' };
    await child.generateKeyPair(slot, made);
    await expect(child.generateKeyPair(slot, made)).rejects.toMatchObject({ code: 'key-ambiguous' });
    expect(await child.deleteKeyPair(slot, made)).toBe(2);
    await expect(child.sign(slot, { key: made, input: new Uint8Array(32) })).rejects.toMatchObject({
      name: 'Pkcs11Error',
      code: 'key-not-found',
    });
  });

  test('gives the errors that it gives in this process', async () => {
    const failures = await Promise.all(
      [child, here].map((module) =>
        module
          .sign(slot, { key: { ...keyOf('p256'), label: 'none' }, input: new Uint8Array(32) })
          .catch((e) => e),
      ),
    );
    const [there, inProcess] = failures.map(({ message, code, ckr, ckrCode, functionName }) => ({
      message,
      code,
      ckr,
      ckrCode,
      functionName,
    }));
    expect(there).toEqual(inProcess);
    await child.logout(slot);
    const refused = await child.login(slot, 'not the PIN').catch((error) => error);
    expect(refused).toBeInstanceOf(Pkcs11Error);
    expect(refused).toMatchObject({
      code: 'pin-incorrect',
      ckr: 'CKR_PIN_INCORRECT',
      ckrCode: 0xa0,
      functionName: 'C_Login',
    });
    expect(refused.message).not.toContain('not the PIN');
    await child.login(slot, hsm.pin);
  });

  test('refuses the mistakes of a caller before any work, without quoting what was given', async () => {
    const key = keyOf('p256');
    const secret = 'hunter2hunter2';
    const calls: (() => Promise<unknown>)[] = [
      () => child.sign(slot, { key, input: new Uint8Array(31) }),
      () => child.sign(slot, { key, input: secret as never }),
      () => child.sign(slot, { key: { ...key, label: 'x'.repeat(256) }, input: new Uint8Array(32) }),
      () => child.sign(secret, { key, input: new Uint8Array(32) }),
      () => child.sign(slot, { key, input: new Uint8Array(32), contextPin: 12345678 as never }),
      () => child.login(slot, { pin: secret } as never),
      () => child.login(secret, '1'),
      () => child.keys(slot, secret as never),
      () => child.openToken(slot, secret as never),
      () => child.openToken(slot, { sessions: 0, blocking: true }),
      () => child.publicPoint(slot, { ...key, idHex: secret }),
      () =>
        child.importKeyPair(slot, {
          ...key,
          privateKey: new Uint8Array(31),
          publicPoint: new Uint8Array(65),
        }),
      () => child.initToken(slot, { soPin: secret, userPin: 5 as never, label: '' }),
    ];
    for (const call of calls) {
      const refused = call().catch((e) => e);
      expect(child.inFlight).toBe(0);
      const error = (await refused) as Error;
      expect(error).toBeInstanceOf(TypeError);
      expect(error.message).not.toContain(secret);
      expect(error.message).not.toContain('12345678');
    }
    const tooLong = { key: keyOf('ed25519'), input: new Uint8Array(MAX_BODY_BYTES + 1) };
    await expect(child.sign(slot, tooLong)).rejects.toBeInstanceOf(RangeError);
    expect(await child.tokenStatus(slot)).toMatchObject({ loggedIn: true });
  });

  test('is closed once, and then no more', async () => {
    const other = await ModuleProcess.start(hsm.modulePath);
    await Promise.all([other.close(), other.close()]);
    await other.close();
    expect(await other.ended).toEqual({ reason: 'closed' });
    expect(isAlive(other.pid)).toBe(false);
    await expect(other.tokens()).rejects.toMatchObject({ code: 'signer-closed' });
  });
});
