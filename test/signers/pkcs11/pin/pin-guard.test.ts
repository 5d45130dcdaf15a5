// Which tries the guard allows, in one process; a new guard stands for a new start, for the memory is on disk.
// pin-guard-processes.test.ts has the processes.

import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Pkcs11Error } from '../../../../src/errors.js';
import { CKR } from '../../../../src/signers/pkcs11/constants.js';
import type { TokenStatus } from '../../../../src/signers/pkcs11/engine/hosted-module.js';
import { returned } from '../../../../src/signers/pkcs11/errors.js';
import { PinGuard, pinFingerprint, sameFingerprint } from '../../../../src/signers/pkcs11/pin/pin-guard.js';

const token = { manufacturer: 'maker', model: 'M1', serial: '42', label: 'mine' };
const RIGHT = '271828';
const WRONG = '314159';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'erst-hsm-guard-'));
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(directory, { recursive: true, force: true });
});

const statusOf = (more: Partial<TokenStatus> = {}): TokenStatus => ({
  pin: 'ok',
  ownKeypad: false,
  loggedIn: false,
  ...more,
});
const refusal = (name: keyof typeof CKR) => returned('C_Login', CKR[name]);

/** The token: what it says to a PIN, and which PINs it was given. */
function cardSaying(answer: (pin: string) => Error | undefined) {
  const tries: string[] = [];
  const present = (pin: string) => async () => {
    tries.push(pin);
    const error = answer(pin);
    if (error) throw error;
  };
  return { tries, present };
}
const card = () => cardSaying((pin) => (pin === RIGHT ? undefined : refusal('CKR_PIN_INCORRECT')));

interface Login {
  guard?: PinGuard;
  status?: Partial<TokenStatus>;
  of?: typeof token;
}
const freshGuard = () => new PinGuard({ directory });

function login(
  on: ReturnType<typeof cardSaying>,
  pin: string | undefined,
  options: Login = {},
): Promise<void> {
  const { guard = freshGuard(), status, of = token } = options;
  return guard.login(of, pin, statusOf(status), on.present(pin ?? ''));
}
const failure = (work: Promise<unknown>): Promise<Pkcs11Error> =>
  work.then(
    () => expect.unreachable('did not fail'),
    (error) => error,
  );
const files = () => readdir(directory);

describe('a wrong PIN', () => {
  it('is tried once, also after a new start', async () => {
    const on = card();
    expect(await failure(login(on, WRONG))).toMatchObject({ code: 'pin-incorrect', ckrCode: 0xa0 });
    for (const guard of [freshGuard(), freshGuard()]) {
      const { code, message } = await failure(login(on, WRONG, { guard }));
      expect(code).toBe('pin-incorrect');
      expect(message).toContain('not tried again');
      expect(message).toContain(directory);
      expect(message).not.toContain(WRONG);
    }
    expect(on.tries).toEqual([WRONG]);
  });

  it('is tried once, by however many at the same time', async () => {
    const on = card();
    const guard = freshGuard();
    const all = [guard, guard, guard, freshGuard(), freshGuard()].map((one) =>
      failure(login(on, WRONG, { guard: one })),
    );
    for (const { code } of await Promise.all(all)) expect(code).toBe('pin-incorrect');
    expect(on.tries).toEqual([WRONG]);
  });

  it.each(['CKR_PIN_INCORRECT', 'CKR_PIN_INVALID', 'CKR_PIN_LEN_RANGE', 'CKR_PIN_LOCKED'] as const)(
    '%s',
    async (name) => {
      const on = cardSaying(() => refusal(name));
      await failure(login(on, WRONG));
      expect((await failure(login(on, WRONG))).code).toBe('pin-incorrect');
      expect(on.tries).toEqual([WRONG]);
    },
  );

  it('does not keep the right one out, and is remembered after it', async () => {
    const on = card();
    await failure(login(on, WRONG));
    await failure(login(on, '999999'));
    await login(on, RIGHT);
    await failure(login(on, WRONG));
    await failure(login(on, '999999'));
    await login(on, RIGHT);
    expect(on.tries).toEqual([WRONG, '999999', RIGHT, RIGHT]);
  });

  it('of one token is not one of another', async () => {
    const on = card();
    await failure(login(on, WRONG));
    for (const change of [{ serial: '43' }, { model: 'M2' }, { manufacturer: 'x' }]) {
      await failure(login(on, WRONG, { of: { ...token, ...change } }));
    }
    expect(on.tries).toHaveLength(4);
    expect(await files()).toHaveLength(4);
  });

  it('is remembered where the token has another label by now, unless only the label tells tokens apart', async () => {
    const on = card();
    await failure(login(on, WRONG));
    await failure(login(on, WRONG, { of: { ...token, label: 'other' } }));
    expect(on.tries).toHaveLength(1);
    for (const serial of ['', 'unknown']) {
      for (const label of ['one', 'other']) {
        await failure(login(on, WRONG, { of: { ...token, model: `of ${serial}`, serial, label } }));
      }
    }
    expect(on.tries).toHaveLength(5);
  });

  it('may be tried again once its record is deleted, as the message says', async () => {
    const on = card();
    const guard = freshGuard();
    await failure(login(on, WRONG, { guard }));
    const { message } = await failure(login(on, WRONG, { guard }));
    await rm(/rm (\S+)$/.exec(message)![1]!);
    await failure(login(on, WRONG, { guard }));
    expect(on.tries).toEqual([WRONG, WRONG]);
  });

  it('may be tried again after the token was initialized', async () => {
    const on = card();
    const guard = freshGuard();
    await failure(login(on, WRONG, { guard }));
    await guard.clear(token);
    await failure(login(on, WRONG, { guard }));
    expect(on.tries).toEqual([WRONG, WRONG]);
  });
});

describe('no login is tried', () => {
  it.each<[string, Partial<TokenStatus>, string, string]>([
    ['that has one try left', { pin: 'final-try' }, 'pin-locked', 'one try left'],
    ['that is locked', { pin: 'locked' }, 'pin-locked', 'PUK'],
    ['with a keypad', { ownKeypad: true }, 'token-error', 'keypad'],
  ])('on a token %s', async (_, status, code, words) => {
    const on = card();
    const error = await failure(login(on, RIGHT, { status }));
    expect(error.code).toBe(code);
    expect(error.message).toContain(words);
    expect(error.message).toContain('token "mine"');
    expect(on.tries).toEqual([]);
    expect(await files()).toEqual([]);
  });

  it('without a PIN', async () => {
    const on = card();
    const error = await failure(login(on, undefined));
    expect(error.code).toBe('pin-missing');
    expect(error.message).toContain('ERST_PKCS11_PIN_FILE');
    expect(on.tries).toEqual([]);
  });

  it('on what the token showed before others spent tries', async () => {
    // Three wrong PINs at once on a card with three tries: the state is read when it is one's turn.
    let left = 3;
    const on = cardSaying(() => {
      left--;
      return refusal('CKR_PIN_INCORRECT');
    });
    const status = async () => statusOf({ pin: left > 1 ? 'ok' : 'final-try' });
    const pins = ['1111', '2222', '3333', '4444'];
    const errors = await Promise.all(
      pins.map((pin) => failure(freshGuard().login(token, pin, status, on.present(pin)))),
    );
    expect(errors.map(({ code }) => code).sort()).toEqual([
      'pin-incorrect',
      'pin-incorrect',
      'pin-locked',
      'pin-locked',
    ]);
    expect(left).toBe(1);
  });
});

describe('a login without an answer', () => {
  const gone = () => new Pkcs11Error('module-crashed', 'the process died');

  it('is made once more where the token shows no spent try, and not a third time', async () => {
    const on = cardSaying(gone);
    expect((await failure(login(on, RIGHT))).code).toBe('module-crashed');
    expect((await failure(login(on, RIGHT))).code).toBe('module-crashed');
    const { code, message } = await failure(login(on, RIGHT));
    expect(code).toBe('pin-incorrect');
    expect(message).toMatch(/before the answer.*rm /);
    expect(on.tries).toEqual([RIGHT, RIGHT]);
  });

  it('is not made again where the token shows a spent try', async () => {
    const on = cardSaying(gone);
    await failure(login(on, WRONG));
    expect((await failure(login(on, WRONG, { status: { pin: 'count-low' } }))).code).toBe('pin-incorrect');
    expect(on.tries).toEqual([WRONG]);
  });

  it('does not stand in the way of another PIN', async () => {
    await failure(login(cardSaying(gone), WRONG));
    const on = card();
    await login(on, RIGHT, { status: { pin: 'count-low' } });
    expect(on.tries).toEqual([RIGHT]);
  });

  it('is settled by the next answer', async () => {
    await failure(login(cardSaying(gone), RIGHT));
    await login(card(), RIGHT);
    expect(await files()).toEqual([]);
    await failure(login(cardSaying(gone), RIGHT));
    await failure(login(cardSaying(gone), RIGHT));
    expect((await failure(login(card(), RIGHT))).code).toBe('pin-incorrect');
  });

  it.each(['CKR_DEVICE_ERROR', 'CKR_DEVICE_REMOVED', 'CKR_GENERAL_ERROR', 'CKR_FUNCTION_FAILED'] as const)(
    '%s',
    async (name) => {
      const on = cardSaying(() => refusal(name));
      for (let i = 0; i < 3; i++) await failure(login(on, RIGHT));
      expect(on.tries).toEqual([RIGHT, RIGHT]);
    },
  );

  it('is not one where SoftHSM could not read its token, which it says before it looks at the PIN', async () => {
    const on = cardSaying(() => refusal('CKR_GENERAL_ERROR'));
    const softHsm = { ...token, manufacturer: 'SoftHSM project', model: 'SoftHSM v2' };
    for (let i = 0; i < 4; i++) await failure(login(on, RIGHT, { of: softHsm }));
    expect(on.tries).toHaveLength(4);
    expect(await files()).toEqual([]);
  });

  it.each<[string, () => Error]>([
    ['already logged in', () => refusal('CKR_USER_ALREADY_LOGGED_IN')],
    ['session gone', () => refusal('CKR_SESSION_HANDLE_INVALID')],
    ['token not present', () => refusal('CKR_TOKEN_NOT_PRESENT')],
    ['no user PIN', () => refusal('CKR_USER_PIN_NOT_INITIALIZED')],
    ['wrong arguments', () => new TypeError('pin')],
  ])('is not one where the token did not judge: %s', async (_, answer) => {
    const on = cardSaying(answer);
    for (let i = 0; i < 4; i++) await failure(login(on, RIGHT));
    expect(on.tries).toHaveLength(4);
    expect(await files()).toEqual([]);
  });
});

describe('the record', () => {
  it('is on disk before the PIN is presented, for its owner alone, and without the PIN', async () => {
    const path = join(directory, 'new', 'pins');
    const guard = new PinGuard({ directory: path });
    const seen: string[] = [];
    await guard.login(token, RIGHT, statusOf(), async () => {
      for (const name of await readdir(path)) {
        const file = join(path, name);
        expect((await stat(file)).mode & 0o077).toBe(0);
        seen.push(name.replace(/^.*?\./, ''), await readFile(file, 'utf8'));
      }
    });
    expect((await stat(path)).mode & 0o777).toBe(0o700);
    expect(seen).toContain('json');
    const record = seen[seen.indexOf('json') + 1]!;
    expect(JSON.parse(record)).toMatchObject({ serial: '42', pending: [{ times: 1 }], refused: [] });
    expect(seen.join()).not.toContain(RIGHT);
    expect(await readdir(path)).toEqual([]);
  });

  it('is under XDG_STATE_HOME', async () => {
    vi.stubEnv('XDG_STATE_HOME', directory);
    await failure(login(card(), WRONG, { guard: new PinGuard() }));
    expect(await readdir(join(directory, 'erst-hsm', 'pins'))).toHaveLength(1);
  });

  it.each([
    ['no JSON', '{"version":1,'],
    ['another version', '{"version":2}'],
    ['a hash that is none', `{"version":1,"saltHex":"${'0'.repeat(32)}","refused":["x"],"pending":[]}`],
  ])('that is damaged allows nothing: %s', async (_, text) => {
    const on = card();
    await failure(login(on, WRONG));
    const [name] = await files();
    await writeFile(join(directory, name!), text);
    const error = await failure(login(on, RIGHT));
    expect(error.code).toBe('token-error');
    expect(error.message).toMatch(/damaged.*rm /);
    expect(on.tries).toEqual([WRONG]);
  });

  it('holds the newest refusals', async () => {
    const on = card();
    await failure(login(on, WRONG));
    const path = join(directory, (await files())[0]!);
    const content = JSON.parse(await readFile(path, 'utf8'));
    const older = Array.from({ length: 32 }, (_, i) => `${i}`.padStart(64, '0'));
    await writeFile(path, JSON.stringify({ ...content, refused: [...older, ...content.refused] }));
    await failure(login(on, '999999'));
    const { refused } = JSON.parse(await readFile(path, 'utf8'));
    expect(refused).toHaveLength(32);
    expect(refused.slice(0, 30)).toEqual(older.slice(2));
    expect(refused[30]).toBe(content.refused[0]);
  });

  it('that cannot be written allows nothing, and says how to go on', async () => {
    const blocked = join(directory, 'file');
    await writeFile(blocked, '');
    const on = card();
    const error = await failure(
      login(on, RIGHT, { guard: new PinGuard({ directory: join(blocked, 'pins') }) }),
    );
    expect(error).toMatchObject({ code: 'invalid-config', setting: 'XDG_STATE_HOME' });
    expect(error.message).toMatch(/ENOTDIR.*export XDG_STATE_HOME=/);
    expect(on.tries).toEqual([]);
  });

  it('keeps the mark where the refusal cannot be written', async () => {
    const guard = freshGuard();
    const on = cardSaying(() => refusal('CKR_PIN_INCORRECT'));
    const refuseAndBlock = async () => {
      const [json] = (await files()).filter((name) => name.endsWith('.json'));
      const text = await readFile(join(directory, json!), 'utf8');
      await rm(join(directory, json!));
      await writeFile(join(directory, json!), text.slice(0, 10)); // now neither read nor changed
      await on.present(WRONG)();
    };
    const error = await failure(guard.login(token, WRONG, statusOf(), refuseAndBlock));
    expect(error).toMatchObject({ code: 'pin-incorrect', ckrCode: 0xa0 });
    expect((await failure(login(on, WRONG, { guard }))).message).toContain('not tried again');
    expect((await failure(login(on, WRONG))).code).toBe('token-error');
    expect(on.tries).toEqual([WRONG]);
  });
});

describe('contextLogin', () => {
  const sign = (on: ReturnType<typeof cardSaying>, pin: string, guard = freshGuard()) =>
    guard.contextLogin(token, pin, async () => {
      await on.present(pin)();
      return 'signature';
    });

  it('gives what the signature gives, and writes nothing', async () => {
    expect(await sign(card(), RIGHT)).toBe('signature');
    expect(await files()).toEqual([]);
  });

  it('shares its refusals with logins, both ways', async () => {
    const on = card();
    const guard = freshGuard();
    await failure(sign(on, WRONG, guard));
    for (const one of [guard, freshGuard()]) {
      expect((await failure(sign(on, WRONG, one))).message).toContain('not tried again');
      expect((await failure(login(on, WRONG, { guard: one }))).message).toContain('not tried again');
    }
    expect(on.tries).toEqual([WRONG]);
    await failure(login(on, '999999'));
    await failure(sign(on, '999999'));
    expect(on.tries).toEqual([WRONG, '999999']);
  });

  it('takes no other failure for a refusal', async () => {
    const on = cardSaying(() => refusal('CKR_DEVICE_REMOVED'));
    for (let i = 0; i < 3; i++) expect((await failure(sign(on, RIGHT))).ckrCode).toBe(0x32);
    expect(on.tries).toHaveLength(3);
  });
});

describe('pinFingerprint', () => {
  it('tells PINs and tokens apart, and does not hold the PIN', () => {
    const one = pinFingerprint(token, RIGHT);
    expect(sameFingerprint(one, pinFingerprint({ ...token }, RIGHT))).toBe(true);
    expect(sameFingerprint(one, pinFingerprint(token, WRONG))).toBe(false);
    expect(sameFingerprint(one, pinFingerprint({ ...token, serial: '43' }, RIGHT))).toBe(false);
    expect(Buffer.from(one).includes(RIGHT)).toBe(false);
    expect(sameFingerprint(one, Uint8Array.of(1))).toBe(false);
  });
});
