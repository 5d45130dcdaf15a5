// A process of its own, for the tests of locks and logins: does what the line of JSON on standard input says, and prints
// a line of JSON when something has happened.

import { appendFileSync, existsSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import pkcs11js from 'pkcs11js';
import { Pkcs11Error } from '../../../../src/errors.js';
import { withFileLock } from '../../../../src/signers/pkcs11/pin/file-lock.js';
import { PinGuard } from '../../../../src/signers/pkcs11/pin/pin-guard.js';
import { lifeOf, ownIdentity } from '../../../../src/signers/pkcs11/pin/process-identity.js';

export type Order =
  /** Under the lock, adds one to the number in `counter`, `times` times; fails if it is not alone. */
  | { do: 'count'; lock: string; counter: string; times: number }
  /** Takes the lock, says so and keeps it. */
  | { do: 'hold'; lock: string }
  /** Under the lock, opens files until no more can be opened; says what it leaves of the lock, and stays. */
  | { do: 'exhaust'; lock: string }
  /** Logs in to SoftHSM's token through a guard; notes each C_Login in the file `tries`. */
  | {
      do: 'login';
      modulePath: string;
      label: string;
      pin: string;
      tries: string;
      directory: string;
      hang?: boolean;
    };

const say = (what: object) => process.stdout.write(`${JSON.stringify(what)}\n`);
const forEver = () => delay(600_000);

async function count({ lock, counter, times }: Order & { do: 'count' }): Promise<void> {
  for (let i = 0; i < times; i++) {
    await withFileLock(lock, 60_000, async () => {
      await expectAlone(`${lock}-inside`);
      const before = Number(readFileSync(counter, 'utf8'));
      await delay(1);
      writeFileSync(counter, String(before + 1));
      rmSync(`${lock}-inside`);
    });
  }
  say({ counted: times });
}

/** A mark that one who was killed has left does not count. */
async function expectAlone(mark: string): Promise<void> {
  if (existsSync(mark) && (await lifeOf(JSON.parse(readFileSync(mark, 'utf8')))) === 'alive') {
    throw new Error('two have the lock');
  }
  writeFileSync(mark, JSON.stringify(await ownIdentity()));
}

async function hold({ lock }: Order & { do: 'hold' }): Promise<void> {
  await withFileLock(lock, 60_000, async () => {
    say({ holding: true });
    await forEver();
  });
}

async function exhaust({ lock }: Order & { do: 'exhaust' }): Promise<void> {
  let code: unknown;
  const openAll = () => {
    for (;;) openSync('/dev/null', 'r');
  };
  await withFileLock(lock, 60_000, async () => {
    try {
      openAll();
    } catch (error) {
      code = (error as NodeJS.ErrnoException).code;
    }
  });
  say({ code, isHeld: existsSync(lock) });
  await forEver();
}

/** What a token says when it is asked with a PIN: here SoftHSM does, which never locks. */
async function login(order: Order & { do: 'login' }): Promise<void> {
  const lib = new pkcs11js.PKCS11();
  lib.load(order.modulePath);
  lib.C_Initialize({ flags: pkcs11js.CKF_OS_LOCKING_OK });
  const slot = lib.C_GetSlotList(true).find((one) => lib.C_GetTokenInfo(one).label.trim() === order.label)!;
  const session = lib.C_OpenSession(slot, pkcs11js.CKF_SERIAL_SESSION);
  const token = {
    manufacturer: 'SoftHSM',
    model: 'v2',
    serial: lib.C_GetTokenInfo(slot).serialNumber,
    label: order.label,
  };
  const present = async () => {
    appendFileSync(order.tries, `${order.pin}\n`);
    let failure: unknown;
    try {
      lib.C_Login(session, pkcs11js.CKU_USER, order.pin);
    } catch (error) {
      failure = error;
    }
    if (order.hang) {
      say({ presented: true }); // the token has judged, and this process does not come to write down what it said
      await forEver();
    }
    if (failure === undefined) return;
    const { code } = failure as { code: number };
    throw new Pkcs11Error('pin-incorrect', 'refused', { ckrCode: code, functionName: 'C_Login' });
  };
  const status = { pin: 'ok', ownKeypad: false, loggedIn: false } as const;
  try {
    await new PinGuard({ directory: order.directory }).login(token, order.pin, status, present);
    say({ loggedIn: true });
  } catch (error) {
    const { code, message, ckrCode } = error as Pkcs11Error;
    say({ code, message, ckrCode });
  } finally {
    lib.C_Finalize();
  }
}

async function main(): Promise<void> {
  for await (const line of createInterface(process.stdin)) {
    const order: Order = JSON.parse(line);
    if (order.do === 'count') await count(order);
    else if (order.do === 'hold') await hold(order);
    else if (order.do === 'exhaust') await exhaust(order);
    else await login(order);
    process.exit();
  }
}

void main();
