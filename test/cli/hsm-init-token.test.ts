// `erst-hsm hsm init-token` on SoftHSM, which always offers one slot with an empty token.

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createSoftHsmToken, type SoftHsmToken } from '../fixtures/softhsm.js';
import { useCommand } from './command.js';
import { atTerminal, failureOf, hsm, runHsm, useVariables, variablesOf } from './hsm-command.js';

const command = useCommand();
const SO_PIN = 'so-87654321';
let token: SoftHsmToken;
beforeEach(async () => {
  token = await createSoftHsmToken({ keys: [{ algorithm: 'p256', label: 'precious' }] });
  await writeFile(join(token.directory, 'so-pin'), `${SO_PIN}\n`, { mode: 0o600 });
});
afterEach(() => token.remove());
useVariables(() => token);
beforeEach(() => {
  process.env.ERST_PKCS11_SO_PIN_FILE = join(token.directory, 'so-pin');
});

const tokens = async (): Promise<{ label: string; initialized: boolean; serial: string }[]> =>
  JSON.parse(await hsm('slots', '--json'));
const labels = async () => (await tokens()).filter((each) => each.initialized).map((each) => each.label);
const precious = async () => (await token.pkcs11Tool('--list-objects')).includes('precious');

describe('hsm init-token', () => {
  it('makes a token of the empty slot, on which keys are made', async () => {
    const made = JSON.parse(await hsm('init-token', '--label', 'fresh', '--json'));
    const listed = (await tokens()).find(({ label }) => label === 'fresh');
    expect(made).toEqual({ label: 'fresh', serial: listed!.serial, slotIndex: expect.any(Number) });
    await hsm('keygen', '--token-label', 'fresh', '--label', 'first');
    expect(await hsm('keys', '--token-label', 'fresh')).toContain('first');
    expect(await precious()).toBe(true);
    const wrong = await failureOf(
      hsm('init-token', '--erase', '--token-label', 'fresh', '--label', 'x', '--yes').then(() =>
        hsm('keys', '--token-label', 'fresh'),
      ),
    );
    expect(wrong.code).toBe('token-not-found');
  });

  it('takes a label of 32 bytes and no more', async () => {
    const label = `${'ü'.repeat(15)}32`;
    expect((await runHsm('init-token', '--label', label)).notes).toContain(label);
    expect(await labels()).toContain(label);
    await expect(hsm('init-token', '--label', `${label}x`)).rejects.toThrow('32 bytes');
    await expect(hsm('init-token', '--label', '')).rejects.toThrow('32 bytes');
  });

  it('refuses a token that is initialized', async () => {
    const error = await failureOf(hsm('init-token', '--slot', '0', '--label', 'again'));
    expect(error.code).toBe('token-initialized');
    expect(error.message).toContain('--erase');
    await expect(hsm('init-token', '--token-label', 'test token', '--label', 'again')).rejects.toThrow(
      '--erase',
    );
    expect(await labels()).toEqual(['test token']);
    expect(await precious()).toBe(true);
  });

  it('does not let a variable choose an empty slot, nor erase without a name', async () => {
    process.env.ERST_PKCS11_TOKEN_LABEL = 'absent';
    await hsm('init-token', '--label', 'fresh');
    expect((await labels()).sort()).toEqual(['fresh', 'test token']);
    delete process.env.ERST_PKCS11_TOKEN_LABEL;
    await expect(hsm('init-token', '--erase', '--yes', '--label', 'x')).rejects.toThrow(
      '--token-label or --slot',
    );
    expect(await precious()).toBe(true);
  });

  it('erases with the SO PIN of the token alone', async () => {
    const erase = () => hsm('init-token', '--erase', '--slot', '0', '--label', 'erased', '--yes');
    await writeFile(join(token.directory, 'so-pin'), 'not the SO PIN');
    expect((await failureOf(erase())).code).toBe('pin-incorrect');
    expect(await precious()).toBe(true);
    // The fixture's SO PIN is its PIN.
    await writeFile(join(token.directory, 'so-pin'), token.pin);
    await erase();
    expect(await labels()).toEqual(['erased']);
    expect(await hsm('keys', '--token-label', 'erased')).toBe('');
  });

  it('has no option for a PIN, and says where PINs come from', async () => {
    const { code, stderr } = await command.run(['hsm', 'init-token', '--label', 'x', '--so-pin', SO_PIN]);
    expect(code).toBe(2);
    expect(stderr).not.toContain(SO_PIN);
    const { out } = await command.run(['hsm', 'init-token', '--help']);
    expect(out).toContain('ERST_PKCS11_SO_PIN_FILE');
    delete process.env.ERST_PKCS11_SO_PIN_FILE;
    const error = await failureOf(hsm('init-token', '--label', 'x'));
    expect({ code: error.code, message: error.message }).toEqual({
      code: 'pin-missing',
      message: expect.stringContaining('ERST_PKCS11_SO_PIN_FILE'),
    });
    expect(await labels()).toEqual(['test token']);
  });

  it('asks for the label before it erases, and erases nothing where nobody can be asked', async () => {
    const args = ['hsm', 'init-token', '--erase', '--slot', '0', '--label', 'erased'];
    const { ERST_PKCS11_TOKEN_LABEL: _, ...variables } = variablesOf(token);
    await writeFile(join(token.directory, 'so-pin'), token.pin, { mode: 0o600 });
    const { SOFTHSM2_CONF } = token.env;
    const env = {
      ...variables,
      ERST_PKCS11_SO_PIN_FILE: join(token.directory, 'so-pin'),
      SOFTHSM2_CONF: SOFTHSM2_CONF!,
    };
    const { code, stderr } = await command.run(args, { env });
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining('add --yes') });
    const question = 'Type test token to go on: ';
    expect(await atTerminal(command, args, env, [{ question, answer: 'erased' }])).toContain(
      'nothing was done',
    );
    expect(await precious()).toBe(true);
    expect(await atTerminal(command, args, env, [{ question, answer: 'test token' }])).toContain('is ready');
    expect(await labels()).toEqual(['erased']);
  });

  it('asks for PINs twice at a terminal, and shows neither', async () => {
    const env = { ERST_PKCS11_MODULE: token.modulePath, SOFTHSM2_CONF: token.env.SOFTHSM2_CONF };
    const args = ['hsm', 'init-token', '--label', 'typed'];
    const differ = await atTerminal(command, args, env, [
      { question: 'New SO PIN: ', answer: 'so-secret' },
      { question: 'Again: ', answer: 'so-secrte' },
    ]);
    expect(differ).toContain('the two PINs differ');
    expect(await labels()).toEqual(['test token']);
    const screen = await atTerminal(command, args, env, [
      { question: 'New SO PIN: ', answer: 'so-secret' },
      { question: 'Again: ', answer: 'so-secret' },
      { question: 'New PIN: ', answer: 'user-secret' },
      { question: 'Again: ', answer: 'user-secret' },
    ]);
    expect(screen).toContain('Token "typed" is ready');
    expect(screen).not.toContain('secret');
    await writeFile(join(token.directory, 'pin'), 'user-secret');
    expect(await hsm('keygen', '--token-label', 'typed', '--label', 'first')).toContain('PUBLIC KEY');
  });
});
