// The same wrong PIN is presented to a token once, whatever dies or is started again in between, and no PIN where the token
// has no try to spare. Every count here is the token's: of the C_Login calls that reached it, and of the tries it has left.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Pkcs11Signer } from '../../src/signers/pkcs11/pkcs11-signer.js';
import { createFaultRig, eventually, expectToSign, type FaultRig, failureOf } from './rig.js';

const PIN_INCORRECT = 0xa0;

let rig: FaultRig;
beforeAll(async () => {
  rig = await createFaultRig();
});
beforeEach(async () => {
  await rig.reset();
  rig.fault.shape({ pinTries: 3 });
});
afterAll(() => rig.close());

const setPin = (pin: string) => writeFile(rig.pinFile, pin, { mode: 0o600 });
const codeOfOpening = async (config = rig.config) => (await failureOf(Pkcs11Signer.open(config))).code;
const presented = () => rig.fault.logins().map(({ pin, code }) => [pin, code]);

/** As people would: through another program, which asks nobody. */
async function spendTry(): Promise<void> {
  const options = ['--module', rig.fault.modulePath, '--token-label', rig.token.tokenLabel];
  const tool = spawn('pkcs11-tool', [...options, '--login', '--pin', 'spent', '-O'], { stdio: 'ignore' });
  await once(tool, 'exit');
}

const library = fileURLToPath(new URL('../../build/node/index.js', import.meta.url));

/** Another start of a program that opens the signer and signs; it prints the error's code, or `signed`. */
function startHost() {
  const program = `
    import(${JSON.stringify(library)}).then(async ({ Pkcs11Signer }) => {
      const signer = await Pkcs11Signer.open(${JSON.stringify(rig.config)});
      await signer.sign(Uint8Array.of(1));
      await signer.close();
      console.log('signed');
    }).catch((error) => console.log(error.code ?? error.message));`;
  const host = spawn(process.execPath, ['-e', program], {
    env: process.env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let printed = '';
  host.stdout.on('data', (data) => {
    printed += data;
  });
  const ended = once(host, 'close').then(() => printed.trim());
  return { host, ended };
}

describe('a wrong PIN', () => {
  it('is presented once, however often the signer is opened', async () => {
    await setPin('wrong');
    for (let i = 0; i < 3; i++) expect(await codeOfOpening()).toBe('pin-incorrect');
    expect(await codeOfOpening({ ...rig.config, processes: 2 })).toBe('pin-incorrect');
    expect(presented()).toEqual([['wrong', PIN_INCORRECT]]);
    expect(rig.fault.pinTriesLeft()).toBe(2);
  });

  it('is presented once, however many programs are started, also at the same moment', async () => {
    await setPin('wrong');
    const together = [startHost(), startHost(), startHost()];
    expect(await Promise.all(together.map(({ ended }) => ended))).toEqual(Array(3).fill('pin-incorrect'));
    expect(await startHost().ended).toBe('pin-incorrect');
    expect(presented()).toEqual([['wrong', PIN_INCORRECT]]);
  });

  it('does not stand in the way of the right one', async () => {
    await setPin('wrong');
    expect(await codeOfOpening()).toBe('pin-incorrect');
    await setPin(rig.token.pin);
    await using signer = await Pkcs11Signer.open(rig.config);
    await expectToSign(signer);
    expect(presented()).toEqual([
      ['wrong', PIN_INCORRECT],
      [rig.token.pin, 0],
    ]);
    expect(rig.fault.pinTriesLeft()).toBe(3);
  });

  it.each(['SIGSEGV', 'exit'] as const)(
    'is not presented again where the module dies (%s) of it',
    async (how) => {
      await setPin('wrong');
      rig.fault.inject({ fn: 'C_Login', action: 'crash', how, when: 'after', times: 1 });
      for (let i = 0; i < 3; i++) {
        expect(['module-crashed', 'pin-incorrect']).toContain(await codeOfOpening());
      }
      expect(presented()).toEqual([['wrong', PIN_INCORRECT]]);
      expect(rig.fault.pinTriesLeft()).toBe(2);
    },
  );

  it('is not presented again where the module does not come back from it', async () => {
    await setPin('wrong');
    rig.fault.inject({ fn: 'C_Login', action: 'hang', when: 'after', times: 1 });
    for (let i = 0; i < 2; i++) {
      const code = await codeOfOpening({ ...rig.config, timeoutMs: 4_000 });
      expect(['timeout', 'pin-incorrect']).toContain(code);
    }
    expect(presented()).toEqual([['wrong', PIN_INCORRECT]]);
  });

  it('is not presented again where the program is killed before it hears of the refusal', async () => {
    await setPin('wrong');
    rig.fault.inject({ fn: 'C_Login', action: 'hang', when: 'after', times: 1 });
    const { host, ended } = startHost();
    await eventually(
      () => rig.fault.logins().some(({ code }) => code === PIN_INCORRECT),
      'the PIN was refused',
    );
    host.kill('SIGKILL');
    await ended;
    expect(await startHost().ended).toBe('pin-incorrect');
    expect(await codeOfOpening()).toBe('pin-incorrect');
    expect(presented()).toEqual([['wrong', PIN_INCORRECT]]);
  });

  it('that the file has by the time of a fault is presented once, by all signatures that wait', async () => {
    await using signer = await Pkcs11Signer.open(rig.config);
    await setPin('wrong');
    rig.fault.forget();
    rig.fault.closeAllSessions();
    const failures = await Promise.all(Array.from({ length: 10 }, () => failureOf(expectToSign(signer))));
    expect(new Set(failures.map(({ code }) => code))).toEqual(new Set(['pin-incorrect']));
    expect((await failureOf(expectToSign(signer))).code).toBe('pin-incorrect');
    expect(presented()).toEqual([['wrong', PIN_INCORRECT]]);
    await setPin(rig.token.pin);
    await expectToSign(signer);
  });
});

describe('the right PIN', () => {
  it('is presented once for each fault that ended the login, and never in vain', async () => {
    await using signer = await Pkcs11Signer.open(rig.config);
    for (let round = 0; round < 5; round++) {
      rig.fault.inject({ fn: 'C_Sign', action: 'crash', times: 1 });
      await Promise.all(Array.from({ length: 10 }, () => expectToSign(signer)));
    }
    expect(presented()).toEqual(Array(6).fill([rig.token.pin, 0]));
  });

  it('whose answer was lost is presented once more, for the token counts no wrong one', async () => {
    const crash = rig.fault.inject({ fn: 'C_Login', action: 'crash', when: 'after', times: 1 });
    const signer = await Pkcs11Signer.open(rig.config).catch(() => Pkcs11Signer.open(rig.config));
    await expectToSign(signer);
    await signer.close();
    expect(crash.fired()).toBe(1);
    expect(presented()).toEqual(Array(2).fill([rig.token.pin, 0]));
  });

  it.each([
    ['final try', 2],
    ['locked', 3],
  ])('is kept back where the token is at its %s', async (_, spent) => {
    for (let i = 0; i < spent; i++) await spendTry();
    expect(rig.fault.pinTriesLeft()).toBe(3 - spent);
    rig.fault.forget();
    for (let i = 0; i < 2; i++) expect(await codeOfOpening()).toBe('pin-locked');
    expect(await startHost().ended).toBe('pin-locked');
    expect(presented()).toEqual([]);
    expect(rig.fault.pinTriesLeft()).toBe(3 - spent);
  });

  it('is kept back at the final try also where the login is lost in the middle of the work', async () => {
    await using signer = await Pkcs11Signer.open(rig.config);
    await spendTry();
    await spendTry();
    rig.fault.forget();
    rig.fault.logOut();
    const failures = await Promise.all(Array.from({ length: 5 }, () => failureOf(expectToSign(signer))));
    expect(new Set(failures.map(({ code }) => code))).toEqual(new Set(['pin-locked']));
    expect(presented()).toEqual([]);
  });
});
