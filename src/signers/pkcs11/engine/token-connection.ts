// One user's hold on a shared token. When it is closed, whatever it has waiting or in flight rejects at once: its owner has
// waited for what was worth waiting for. What it had waiting leaves the token's queue.

import { SignerError } from '../../../errors.js';
import type { PinReader, TokenConnection } from './engine.js';
import type { SignRequest } from './hosted-module.js';
import { onAbort } from './on-abort.js';
import { settledWithin } from './settled-within.js';
import type { SharedToken } from './shared-token.js';

/** How long a logout may take, which nobody needs but for tidiness. */
const LOGOUT_MS = 2_000;

/** `leave` is called once, when the connection is closed. */
export function connectionTo(
  shared: SharedToken,
  pin: PinReader,
  leave: () => Promise<void>,
): TokenConnection {
  const closing = new AbortController();
  const { signal: closed } = closing;
  const whileOpen = <T>(work: () => Promise<T>) => untilAborted(closed, work);
  return {
    get token() {
      return shared.token;
    },
    status: () => whileOpen(() => shared.call(({ module, slot }) => module.tokenStatus(slot))),
    login: () => whileOpen(() => shared.login.add(shared.token, pin, () => shared.open())),
    keys: (keyClass, filter) =>
      whileOpen(() => shared.call(({ module, slot }) => module.keys(slot, keyClass, filter))),
    publicPoint: (key) => whileOpen(() => shared.call(({ module, slot }) => module.publicPoint(slot, key))),
    certificates: (filter) =>
      whileOpen(() => shared.call(({ module, slot }) => module.certificates(slot, filter))),
    sign: (request, signal) =>
      signal === undefined ? shared.sign(request, closed) : signUnder(shared, request, [signal, closed]),
    trySign: (request) => whileOpen(() => shared.callOnce(({ module, slot }) => module.sign(slot, request))),
    generateKeyPair: (key) =>
      whileOpen(() => shared.callOnce(({ module, slot }) => module.generateKeyPair(slot, key))),
    importKeyPair: (key) =>
      whileOpen(() => shared.callOnce(({ module, slot }) => module.importKeyPair(slot, key))),
    deleteKeyPair: (key) =>
      whileOpen(() => shared.callOnce(({ module, slot }) => module.deleteKeyPair(slot, key))),
    async close() {
      if (closed.aborted) return;
      closing.abort(signerClosed());
      const isLast = shared.users === 1;
      if (isLast) shared.login.remove(pin);
      else
        await settledWithin(
          shared.login.leave(pin, () => logOut(shared)),
          LOGOUT_MS,
        );
      await leave();
    },
  };
}

/** In the first process; others lose the login with their next one. */
const logOut = (shared: SharedToken): Promise<void> =>
  shared.callOnce(({ module, slot }) => module.logout(slot));

export const signerClosed = () =>
  new SignerError('signer-closed', 'The signer was closed before this was signed');

function untilAborted<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const forget = onAbort(signal, () => reject(signal.reason));
    work().then(resolve, reject).finally(forget);
  });
}

/** Without AbortSignal.any, whose dependents Node.js 20 never lets go of while a source lives. */
async function signUnder(
  shared: SharedToken,
  request: SignRequest,
  signals: readonly AbortSignal[],
): Promise<Uint8Array> {
  for (const signal of signals) signal.throwIfAborted();
  const any = new AbortController();
  const forgets = signals.map((signal) => onAbort(signal, () => any.abort(signal.reason)));
  try {
    return await shared.sign(request, any.signal);
  } finally {
    for (const forget of forgets) forget();
  }
}
