// Pkcs11Engine with the module in this process.
// What that means: a module that crashes ends the process, and calls other than C_Sign block the event loop.

import { Pkcs11Error } from '../../errors.js';
import { InProcessConnection } from './connection.js';
import { CKF_TOKEN, CKM } from './constants.js';
import { type Cryptoki, type Handle, ulong } from './cryptoki.js';
import type { MechanismName, Pkcs11Engine, TokenConnection, TokenSummary } from './engine.js';
import { Pkcs11Module } from './module.js';

interface SharedConnection {
  connection: InProcessConnection;
  users: number;
}

/** Connections by module path and token: PKCS#11 has one login for a process and token, so there is one session. */
const connections = new Map<string, SharedConnection>();

export class InProcessEngine implements Pkcs11Engine {
  readonly #module: Pkcs11Module;
  #released = false;

  private constructor(module: Pkcs11Module) {
    this.#module = module;
  }

  /** An engine for the module at `modulePath`; its holder releases it. */
  static async acquire(modulePath: string): Promise<InProcessEngine> {
    return new InProcessEngine(await Pkcs11Module.acquire(modulePath));
  }

  get modulePath(): string {
    return this.#module.path;
  }

  listTokens(): Promise<TokenSummary[]> {
    return this.#module.exclusive(describeTokens);
  }

  restart(): Promise<void> {
    return this.#module.exclusive(() => void this.#module.reinitialize());
  }

  async connect(token: TokenSummary): Promise<TokenConnection> {
    const name = JSON.stringify([this.#module.path, token.slotHandle, token.serial, token.label]);
    const shared = connections.get(name) ?? {
      connection: new InProcessConnection(this.#module, token),
      users: 0,
    };
    connections.set(name, shared);
    shared.users++;
    return lend(shared, () => connections.delete(name));
  }

  async release(): Promise<void> {
    if (this.#released) return;
    this.#released = true;
    await this.#module.release();
  }
}

/** The shared connection with a `close` that ends it only for its last user. */
function lend(shared: SharedConnection, forget: () => void): TokenConnection {
  const { connection } = shared;
  let open = true;
  return {
    login: (pin) => connection.login(pin),
    privateKeys: (filter) => connection.privateKeys(filter),
    publicKeys: (filter) => connection.publicKeys(filter),
    publicPoint: (key) => connection.publicPoint(key),
    sign: (request, signal) => connection.sign(request, signal),
    generateKeyPair: (key) => connection.generateKeyPair(key),
    async close() {
      if (!open) return;
      open = false;
      shared.users--;
      if (shared.users > 0) return;
      forget();
      await connection.close();
    },
  };
}

function describeTokens(cryptoki: Cryptoki): TokenSummary[] {
  const library = cryptoki.libraryInfo();
  return cryptoki.slotsWithToken().map((slot, slotIndex) => ({
    slotIndex,
    libraryManufacturer: library.manufacturer,
    libraryDescription: library.description,
    libraryVersion: library.version,
    ...describeToken(cryptoki, slot),
  }));
}

function describeToken(cryptoki: Cryptoki, slot: Handle) {
  const slotInfo = cryptoki.slotInfo(slot);
  return {
    slotHandle: slot.toString('hex'),
    slotId: ulong(slot),
    slotDescription: slotInfo.description,
    slotManufacturer: slotInfo.manufacturer,
    ...describeContents(cryptoki, slot),
  };
}

/** A token that cannot be read keeps its position in the list. */
function describeContents(cryptoki: Cryptoki, slot: Handle) {
  try {
    const token = cryptoki.tokenInfo(slot);
    return {
      initialized: (token.flags & CKF_TOKEN.TOKEN_INITIALIZED) !== 0,
      loginRequired: (token.flags & CKF_TOKEN.LOGIN_REQUIRED) !== 0,
      label: token.label,
      manufacturer: token.manufacturerID,
      model: token.model,
      serial: token.serialNumber,
      mechanisms: signingMechanisms(cryptoki.mechanisms(slot)),
    };
  } catch (error) {
    if (!(error instanceof Pkcs11Error)) throw error;
    return { ...UNREADABLE, mechanisms: [] };
  }
}

const UNREADABLE = {
  initialized: false,
  loginRequired: false,
  label: '',
  manufacturer: '',
  model: 'unreadable',
  serial: '',
};

function signingMechanisms(numbers: readonly number[]): MechanismName[] {
  return (['EDDSA', 'ECDSA'] as const).filter((name) => numbers.includes(CKM[name]));
}
