// The command line where ERST_PKCS11_URI names several tokens with one key, as for failover: what looks walks through them,
// what changes something is told which one.

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createFaultModule, type FaultModule } from '../fixtures/fault-module/fault-module.js';
import { createPivCard, type PivCard, YKCS11_MODULE } from '../fixtures/piv-card/piv-card.js';
import { createSoftHsmToken, type SoftHsmToken } from '../fixtures/softhsm.js';
import { useCommand } from './command.js';
import { atTerminal, failureOf, hsm, runHsm, useVariables } from './hsm-command.js';

const command = useCommand();
let token: SoftHsmToken;
let module: FaultModule;
beforeAll(async () => {
  token = await createSoftHsmToken({ tokenLabel: 'left', keys: ['ed25519'] });
  await token.addToken('right', token.pin);
  await token.addKey({ algorithm: 'ed25519', idHex: '07' }, { label: 'right', pin: token.pin });
  module = await createFaultModule();
});
afterAll(async () => {
  await module.close();
  await token.remove();
});
useVariables(() => token);
beforeEach(() => {
  process.env.ERST_PKCS11_MODULE = module.modulePath;
  delete process.env.ERST_PKCS11_TOKEN_LABEL;
  process.env.ERST_PKCS11_URI = 'pkcs11:token=left pkcs11:token=right';
});
afterEach(() => {
  module.clear();
  module.forget();
  process.exitCode = undefined;
});

/** For a process of its own. */
const variables = () => {
  const own = Object.entries(process.env).filter(([name]) => /^(?:ERST|SOFTHSM2|XDG)_/.test(name));
  return { ...(Object.fromEntries(own) as Record<string, string>), ERST_SIGNER_TYPE: 'pkcs11' };
};
const idsOn = async (label: string) => {
  process.env.ERST_PKCS11_URI = `pkcs11:token=${label}`;
  return JSON.parse(await hsm('keys', '--json')).map(({ id }: { id: string }) => id);
};

describe('hsm keys', () => {
  it('shows the keys of each, under its name', async () => {
    const { out, notes } = await runHsm('keys');
    expect(notes.match(/^token \d of 2: "(?:left|right)" \(SoftHSM v2, serial [0-9a-f]+\)$/gm)).toHaveLength(
      2,
    );
    const cells = out.split('\n').map((line) => line.split('\t').slice(0, 3));
    expect(cells).toEqual([['1', 'ed25519', '01'], ['2', 'ed25519', '07'], ['']]);
    expect(process.exitCode).toBeUndefined();
  });

  it('says of each key where it is, with --json', async () => {
    const shown = JSON.parse(await hsm('keys', '--json'));
    expect(shown).toMatchObject([
      { id: '01', token: { number: 1, label: 'left', serial: expect.any(String) } },
      { id: '07', token: { number: 2, label: 'right' } },
    ]);
    process.env.ERST_PKCS11_URI = 'pkcs11:token=left';
    expect(JSON.parse(await hsm('keys', '--json'))[0]).not.toHaveProperty('token');
  });

  it('goes on where one is not there, and fails', async () => {
    process.env.ERST_PKCS11_URI = 'pkcs11:token=absent pkcs11:token=right';
    const { code, out, stderr } = await command.run(['hsm', 'keys', '--json'], { env: variables() });
    expect(code).toBe(1);
    expect(JSON.parse(out)).toMatchObject([{ id: '07', token: { number: 2 } }]);
    expect(JSON.parse(stderr.split('\n')[0]!)).toEqual({
      error: { code: 'token-not-found', message: expect.stringContaining('absent'), token: 1 },
    });
  });

  it('does not give a PIN to the second that the first has refused', async () => {
    process.env.XDG_STATE_HOME = join(token.directory, 'state of a wrong PIN');
    await writeFile(join(token.directory, 'pin'), 'wrong-pin');
    const { notes } = await runHsm('keys');
    expect(notes).toContain('token 1: ');
    expect(notes).toContain('The other tokens were not asked');
    expect(process.exitCode).toBe(1);
    expect(module.logins()).toHaveLength(1);
  });

  it('asks each for the PIN of its own', async () => {
    const wrong = join(token.directory, 'wrong-pin');
    await writeFile(wrong, 'wrong-pin', { mode: 0o600 });
    const right = process.env.ERST_PKCS11_PIN_FILE!;
    delete process.env.ERST_PKCS11_PIN_FILE;
    process.env.XDG_STATE_HOME = join(token.directory, 'state of another wrong PIN');
    process.env.ERST_PKCS11_URI = `pkcs11:token=left?pin-source=${wrong} pkcs11:token=right?pin-source=${right}`;
    const { out, notes } = await runHsm('keys');
    expect(notes).toContain('token 1: ');
    expect(out).toMatch(/^2\ted25519\t07/);
    expect(module.logins().map(({ pin }) => pin)).toEqual(['wrong-pin', token.pin]);
  });

  it('takes one of them by its label', async () => {
    expect(await hsm('keys', '--token-label', 'right')).toMatch(/^ed25519\t07/);
    const { message } = await failureOf(hsm('keys', '--token-label', 'none'));
    expect(message).toContain('They name: token "left"; token "right"');
    expect((await failureOf(hsm('keys', '--slot', '0'))).message).toContain('use --token-label');
  });

  it('has a heading at a terminal, where columns have names', async () => {
    const screen = await atTerminal(command, ['hsm', 'keys'], variables(), []);
    expect(screen).toMatch(
      /token 1 of 2: "left".*\r\nLABEL .*\r\ned25519.*\r\ntoken 2 of 2: "right".*\r\nLABEL/,
    );
  });
});

describe('what changes a token', () => {
  it.each([
    ['keygen', '--label', 'new'],
    ['import', 'key.pem', '--label', 'new'],
    ['delete', '--label', 'ed25519', '--yes'],
    ['init-token', '--erase', '--label', 'new', '--yes'],
  ])('%s is told which', async (...args) => {
    const { message } = await failureOf(hsm(...args));
    expect(message).toContain('several tokens (token "left"; token "right")');
    expect(message).toContain('--token-label');
    expect(['C_Login', 'C_DestroyObject', 'C_InitToken'].map((fn) => module.calls(fn as 'C_Login'))).toEqual([
      0, 0, 0,
    ]);
  });

  it('works on the one that it is told', async () => {
    await hsm('keygen', '--token-label', 'right', '--label', 'new', '--id', '09');
    expect(await idsOn('right')).toContain('09');
    expect(await idsOn('left')).toEqual(['01']);
    process.env.ERST_PKCS11_URI = 'pkcs11:token=left pkcs11:token=right';
    await hsm('delete', '--token-label', 'right', '--id', '09', '--yes');
    expect(await idsOn('right')).toEqual(['07']);
  });

  it('never shows the PIN of a URI', async () => {
    delete process.env.ERST_PKCS11_PIN_FILE;
    process.env.ERST_PKCS11_URI = 'pkcs11:token=left?pin-value=hidden-1 pkcs11:serial=1?pin-value=hidden-2';
    const { message } = await failureOf(hsm('delete', '--label', 'ed25519', '--yes'));
    expect(message).toContain('serial "1"');
    expect(message).not.toContain('hidden');
  });
});

it('doctor has a heading for each', async () => {
  const { code, out } = await command.run(['doctor', '--try-pin'], { env: variables() });
  expect(out.match(/^token . of .:$/gm)).toEqual(['token 1 of 2:', 'token 2 of 2:']);
  expect(code).toBe(0);
});

describe('conformance', () => {
  it('checks each by itself', async () => {
    const env = variables();
    const { code, out, stderr } = await command.run(['conformance', '--batch-size', '5'], { env });
    expect(code).toBe(0);
    expect(out.match(/^token . of .:$/gm)).toEqual(['token 1 of 2:', 'token 2 of 2:']);
    expect(stderr.match(/ed25519 (\d+) of \1 rules/g)).toHaveLength(2);
  });

  it('reports on each, and on what one could not do', async () => {
    process.env.ERST_PKCS11_URI = 'pkcs11:token=left pkcs11:token=absent';
    const env = variables();
    const { code, out, stderr } = await command.run(['conformance', '--batch-size', '5', '--json'], { env });
    expect(code).toBe(1);
    expect(JSON.parse(out)).toMatchObject([{ signerType: 'pkcs11', runs: [{ failed: 0 }] }]);
    expect(JSON.parse(stderr)).toMatchObject({ error: { code: 'token-not-found', token: 2 } });
  });
});

describe('hsm attest', () => {
  let card: PivCard;
  beforeAll(async () => {
    card = await createPivCard({ keys: [{ slot: '9a' }, { slot: '9c' }] });
  });
  afterAll(() => card.close());

  it('shows the chain of each', async () => {
    const pin = join(token.directory, 'card-pin');
    await writeFile(pin, card.pin, { mode: 0o600 });
    const { LD_LIBRARY_PATH, PIV_CARD_SOCKET } = card.env as Record<string, string>;
    const env = {
      ...variables(),
      LD_LIBRARY_PATH: LD_LIBRARY_PATH!,
      PIV_CARD_SOCKET: PIV_CARD_SOCKET!,
      ERST_PKCS11_MODULE: YKCS11_MODULE,
      ERST_PKCS11_PIN_FILE: pin,
      ERST_PKCS11_URI: 'pkcs11:id=%01 pkcs11:id=%02',
    };
    const { code, out, stderr } = await command.run(['hsm', 'attest'], { env });
    expect(code).toBe(0);
    expect(stderr.match(/^token . of 2: "YubiKey PIV/gm)).toHaveLength(2);
    const chains = JSON.parse((await command.run(['hsm', 'attest', '--json'], { env })).out);
    expect(chains).toMatchObject([
      { id: '01', verdict: 'not-checked', token: { number: 1 } },
      { id: '02', verdict: 'not-checked', token: { number: 2 } },
    ]);
    expect(out.match(/BEGIN CERTIFICATE/g)).toHaveLength(chains[0].chain.length + chains[1].chain.length);
  });
});

describe('an option', () => {
  it('takes the place of what one URI says', async () => {
    process.env.ERST_PKCS11_URI = 'pkcs11:serial=none;token=left;object=ed25519';
    expect(await hsm('keys', '--token-label', 'right')).toMatch(/^ed25519\t07/);
    const { message } = await failureOf(hsm('attest', '--token-label', 'right', '--id', '08'));
    expect(message).toContain('matches key id 08');
    const byLabel = await failureOf(hsm('attest', '--token-label', 'right', '--label', 'a; b'));
    expect(byLabel.message).toContain('matches key label "a; b"');
    const bySlot = await failureOf(hsm('attest', '--token-label', 'right', '--piv-slot', '9c'));
    expect(bySlot.message).toContain('matches key id 02');
  });

  it('may not be a position, where a URI names the token', async () => {
    process.env.ERST_PKCS11_URI = 'pkcs11:token=left';
    const { message } = await failureOf(hsm('keys', '--slot', '0'));
    expect(message).toContain('--token-label, or unset ERST_PKCS11_URI');
  });
});
