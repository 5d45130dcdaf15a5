// One user's hold on a shared token.

import type { PinReader, TokenConnection } from './engine.js';
import type { SharedToken } from './shared-token.js';

/** `leave` is called once, when the connection is closed. */
export function connectionTo(
  shared: SharedToken,
  pin: PinReader,
  leave: () => Promise<void>,
): TokenConnection {
  let isOpen = true;
  return {
    get token() {
      return shared.token;
    },
    status: () => shared.call(({ module, slot }) => module.tokenStatus(slot)),
    login: () => shared.login.add(shared.token, pin, () => shared.open()),
    keys: (keyClass, filter) => shared.call(({ module, slot }) => module.keys(slot, keyClass, filter)),
    publicPoint: (key) => shared.call(({ module, slot }) => module.publicPoint(slot, key)),
    certificates: (filter) => shared.call(({ module, slot }) => module.certificates(slot, filter)),
    sign: (request, signal) => shared.sign(request, signal),
    generateKeyPair: (key) => shared.callOnce(({ module, slot }) => module.generateKeyPair(slot, key)),
    importKeyPair: (key) => shared.callOnce(({ module, slot }) => module.importKeyPair(slot, key)),
    deleteKeyPair: (key) => shared.callOnce(({ module, slot }) => module.deleteKeyPair(slot, key)),
    async close() {
      if (!isOpen) return;
      isOpen = false;
      shared.login.remove(pin);
      await leave();
    },
  };
}
