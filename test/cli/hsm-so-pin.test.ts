// The SO PIN of `erst-hsm hsm init-token --erase`: C_InitToken checks it, so a wrong one is a try that a device counts.
// The fault module stands before SoftHSM, counts the tries and locks as a device does.

import { exec } from 'node:child_process';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createFaultModule, type FaultModule } from '../fixtures/fault-module/fault-module.js';
import { createSoftHsmToken, type SoftHsmToken } from '../fixtures/softhsm.js';
import { useCommand } from './command.js';
import { failureOf, hsm, runHsm, useVariables, variablesOf } from './hsm-command.js';

const CKR_PIN_INVALID = 0xa1;
const USER_PIN = 'user-1234';
const SO_PIN = 'officer-5678';
const WRONG = 'officer-0000';

const command = useCommand();
let module: FaultModule;
let token: SoftHsmToken;
beforeAll(async () => {
  module = await createFaultModule();
});
afterAll(() => module.close());
beforeEach(async () => {
  token = await createSoftHsmToken({ tokenLabel: 'first', pin: 'first-pin' });
  const pins = ['--pin', USER_PIN, '--so-pin', SO_PIN];
  await token.softhsm2Util('--init-token', '--free', '--label', 'chosen', ...pins);
});
useVariables(() => token);
beforeEach(async () => {
  const { directory } = token;
  process.env.ERST_PKCS11_MODULE = module.modulePath;
  process.env.ERST_PKCS11_TOKEN_LABEL = 'chosen';
  process.env.ERST_PKCS11_SO_PIN_FILE = join(directory, 'so-pin');
  await writeFile(join(directory, 'pin'), USER_PIN, { mode: 0o600 });
  await givenSoPin(SO_PIN);
});
afterEach(async () => {
  module.clear();
  module.forget();
  await token.remove();
});

const givenSoPin = (pin: string) => writeFile(join(token.directory, 'so-pin'), pin, { mode: 0o600 });
const ERASE = ['init-token', '--erase', '--token-label', 'chosen', '--label', 'erased', '--yes'];
const erase = () => hsm(...ERASE);
interface Slot {
  label: string;
  slotIndex: number;
  soPin: string;
}
const slots = async (): Promise<Slot[]> => JSON.parse(await hsm('slots', '--json'));
const labels = async () => (await slots()).map(({ label }) => label);
const chosen = async () => (await slots()).find(({ label }) => label === 'chosen')!;
/** What C_InitToken and C_Login(CKU_SO) were given. */
const tries = () => module.logins().flatMap(({ user, pin }) => (user === 'so' ? [pin] : []));
const records = () => readdir(join(token.directory, 'state', 'erst-hsm', 'pins')).catch(() => []);

/** As another program does, which has no such memory. */
const initializeAgain = async (soPin: string, label: string) => {
  const slot = String((await chosen()).slotIndex);
  return `pkcs11-tool --module ${module.modulePath} --init-token --slot-index ${slot} --label ${label} --so-pin ${soPin}`;
};
const initializeWith = async (soPin: string) =>
  promisify(exec)(await initializeAgain(soPin, 'x')).catch(() => {});

describe('a wrong SO PIN', () => {
  it('is presented once, also by another start of the program', async () => {
    await givenSoPin(WRONG);
    const first = await failureOf(erase());
    expect(first).toMatchObject({ code: 'pin-incorrect', ckr: 'CKR_PIN_INCORRECT' });
    expect(first.message).toContain('may be lost for good');
    const { code, message } = await failureOf(erase());
    expect(code).toBe('pin-incorrect');
    expect(message).toContain('refused this SO PIN already');
    expect(message).toContain('ERST_PKCS11_SO_PIN_FILE');
    const env = { ...variablesOf(token), SOFTHSM2_CONF: token.env.SOFTHSM2_CONF!, ...soPinVariables() };
    const started = await command.run(['hsm', ...ERASE], { env });
    expect(started.code).toBe(1);
    expect(started.stderr).toContain('not tried again');
    expect(tries()).toEqual([WRONG]);
    expect([message, started.stderr].join()).not.toContain(WRONG);
    expect(await labels()).toContain('chosen');
  });

  it('does not keep the right one out, and is remembered after it', async () => {
    module.shape({ soPinTries: 3 });
    await givenSoPin(WRONG);
    await failureOf(erase());
    await givenSoPin(SO_PIN);
    await erase();
    expect(await labels()).toContain('erased');
    expect(tries()).toEqual([WRONG, SO_PIN, SO_PIN]); // C_InitToken, then C_Login(CKU_SO)
  });

  it('is not remembered as a user PIN, nor a wrong user PIN as an SO PIN', async () => {
    await givenSoPin(USER_PIN);
    await failureOf(erase());
    expect(JSON.parse(await hsm('keys', '--json'))).toEqual([]);
    await writeFile(join(token.directory, 'pin'), SO_PIN);
    expect((await failureOf(hsm('keys'))).code).toBe('pin-incorrect');
    expect(await records()).toHaveLength(2);
    await givenSoPin(SO_PIN);
    await erase();
    expect(await labels()).toContain('erased');
  });

  it('is not presented where nobody can remember it', async () => {
    const file = join(token.directory, 'file');
    await writeFile(file, '');
    process.env.XDG_STATE_HOME = file;
    expect((await failureOf(erase())).code).toBe('invalid-config');
    expect(tries()).toEqual([]);
  });
});

describe('an SO PIN that locks', () => {
  it('keeps its last try', async () => {
    module.shape({ soPinTries: 2 });
    await givenSoPin(WRONG);
    await failureOf(erase());
    await givenSoPin(SO_PIN);
    const { code, message } = await failureOf(erase());
    expect({ code, message }).toEqual({
      code: 'pin-locked',
      message: expect.stringContaining('one try left'),
    });
    expect(tries()).toEqual([WRONG]);
  });

  it('is not presented once it is locked', async () => {
    module.shape({ soPinTries: 1 });
    await initializeWith(WRONG);
    module.forget();
    const { code, message } = await failureOf(erase());
    expect({ code, message }).toEqual({ code: 'pin-locked', message: expect.stringContaining('is locked') });
    expect(module.calls('C_InitToken')).toBe(0);
  });

  it('is shown by hsm slots', async () => {
    const shown = async () => (await chosen()).soPin;
    module.shape({ soPinTries: 3 });
    const states = [await shown()];
    for (const pin of ['wrong-one', 'wrong-two', 'wrong-three']) {
      await initializeWith(pin);
      states.push(await shown());
    }
    expect(states).toEqual(['ok', 'count-low', 'final-try', 'locked']);
    expect((await slots()).find(({ label }) => label === '')!.soPin).toBe('uninitialized');
  });
});

it('does not present an SO PIN again that has no answer', async () => {
  const crash = module.inject({ fn: 'C_InitToken', action: 'crash' });
  expect((await failureOf(erase())).code).toBe('module-crashed');
  crash.remove();
  const { code, message } = await failureOf(erase());
  expect({ code, message }).toEqual({
    code: 'pin-incorrect',
    message: expect.stringMatching(/may be wrong.*rm /),
  });
  expect(module.calls('C_InitToken')).toBe(1);
  expect(await labels()).toContain('chosen');
});

describe('a failure after C_InitToken', () => {
  it('says that the token is another by now, and counts for no refusal of the SO PIN', async () => {
    const fault = module.inject({ fn: 'C_InitPIN', action: 'return', code: CKR_PIN_INVALID });
    const { message } = await failureOf(erase());
    expect(message).toContain('initialized as "erased", but has no PIN yet');
    expect(message).toContain('--erase');
    expect(await labels()).toContain('erased');
    expect(await records()).toEqual([]);
    fault.remove();
    const again = await runHsm(
      'init-token',
      '--erase',
      '--token-label',
      'erased',
      '--label',
      'erased',
      '--yes',
    );
    expect(again.notes).toContain('is ready');
  });

  it('is not one of a PIN that the token does not take: that is refused before', async () => {
    await writeFile(join(token.directory, 'pin'), '123');
    const { code, message } = await failureOf(erase());
    expect({ code, message }).toEqual({
      code: 'pin-length',
      message: expect.stringContaining('4 to 255 bytes'),
    });
    expect(module.calls('C_InitToken')).toBe(0);
    expect(await labels()).toContain('chosen');
  });
});

it('erases no other token than the one that was chosen', async () => {
  // While the SO PIN is looked for, somebody else gives the token another label.
  delete process.env.ERST_PKCS11_SO_PIN_FILE;
  process.env.ERST_PKCS11_SO_PIN_COMMAND = `${await initializeAgain(SO_PIN, 'other')} > /dev/null 2>&1; echo ${SO_PIN}`;
  const { code, message } = await failureOf(erase());
  expect({ code, message }).toEqual({
    code: 'token-not-found',
    message: expect.stringContaining('not the one that was chosen'),
  });
  expect(module.calls('C_InitToken')).toBe(1);
  expect(await labels()).toContain('other');
});

describe('a label that another token has', () => {
  it('is refused, and says which token that is and what to do', async () => {
    const error = await failureOf(hsm('init-token', '--label', 'first'));
    expect(error.code).toBe('label-taken');
    for (const said of [
      'at position ',
      'choose another --label',
      '--allow-same-label',
      '--slot',
      'serial=',
    ]) {
      expect(error.message).toContain(said);
    }
    expect((await failureOf(hsm('init-token', '--label', 'first '))).code).toBe('label-taken');
    expect((await failureOf(hsm(...ERASE.with(5, 'first')))).code).toBe('label-taken');
    expect(module.calls('C_InitToken')).toBe(0);
  });

  it('is given where that is meant', async () => {
    const made = JSON.parse(await hsm('init-token', '--label', 'first', '--allow-same-label', '--json'));
    expect((await labels()).filter((label) => label === 'first')).toHaveLength(2);
    process.env.ERST_PKCS11_TOKEN_LABEL = 'first';
    expect((await failureOf(hsm('keys'))).code).toBe('token-ambiguous');
    expect(await hsm('keys', '--slot', String(made.slotIndex))).toBe('');
    const there = (await slots())[made.slotIndex];
    expect(there).toMatchObject({ label: 'first', serial: made.serial });
  });

  it('may be its own', async () => {
    await hsm(...ERASE.with(5, 'chosen'));
    expect((await labels()).filter((label) => label === 'chosen')).toHaveLength(1);
  });
});

const soPinVariables = () => ({
  ERST_PKCS11_MODULE: module.modulePath,
  ERST_PKCS11_TOKEN_LABEL: 'chosen',
  ERST_PKCS11_SO_PIN_FILE: join(token.directory, 'so-pin'),
});
