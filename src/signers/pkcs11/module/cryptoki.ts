// The calls of PKCS#11 that are used here, over pkcs11js: every failure passes through callFailed, strings lose their
// padding, attributes are asked for one at a time (one that is unavailable would fail the whole batch).
// All calls but `signAsync` and `generateKeyPair` block the event loop: pkcs11js has no other form of them.
// Invariants: nothing reaches the module unless it is initialized; buffers given to an asynchronous call are held until it
// ends, because the binding does not (LentSession); arguments have been checked (arguments.ts), because the binding does
// not survive all of them.

import type { PKCS11, SessionInfo, Template, TokenInfo } from 'pkcs11js';
import { Pkcs11Error } from '../../../errors.js';
import { CKA, CKF, CKR, CKS, type CKU } from '../constants.js';
import { callFailed, returned } from '../errors.js';
import { type Handle, unpadded, versionText } from './ck-types.js';

export interface LibraryInfo {
  manufacturer: string;
  description: string;
  version: string;
  cryptokiVersion: string;
}

export interface SlotInfo {
  description: string;
  manufacturer: string;
  flags: number;
}

const FIND_AT_ONCE = 64;

export class Cryptoki {
  readonly #lib: PKCS11;
  #initialized = false;

  constructor(lib: PKCS11) {
    this.#lib = lib;
  }

  get initialized(): boolean {
    return this.#initialized;
  }

  /** `false` where other code in this process has initialized the module already. */
  initialize(): boolean {
    try {
      // Without OS locking, modules that are called from several threads crash.
      this.#lib.C_Initialize({ flags: CKF.OS_LOCKING_OK });
    } catch (thrown) {
      const error = callFailed('C_Initialize', thrown);
      if (error.ckrCode !== CKR.CKR_CRYPTOKI_ALREADY_INITIALIZED) throw error;
      this.#initialized = true;
      return false;
    }
    this.#initialized = true;
    return true;
  }

  /** After this nothing reaches the module until `initialize`, also where C_Finalize fails. */
  finalize(): void {
    if (!this.#initialized) return;
    this.#initialized = false;
    try {
      this.#lib.C_Finalize();
    } catch (thrown) {
      throw callFailed('C_Finalize', thrown);
    }
  }

  libraryInfo(): LibraryInfo {
    const info = this.#call('C_GetInfo', (lib) => lib.C_GetInfo());
    return {
      manufacturer: unpadded(info.manufacturerID),
      description: unpadded(info.libraryDescription),
      version: versionText(info.libraryVersion),
      cryptokiVersion: versionText(info.cryptokiVersion),
    };
  }

  slotsWithToken(): Handle[] {
    return this.#call('C_GetSlotList', (lib) => lib.C_GetSlotList(true));
  }

  allSlots(): Handle[] {
    return this.#call('C_GetSlotList', (lib) => lib.C_GetSlotList(false));
  }

  slotInfo(slot: Handle): SlotInfo {
    const info = this.#call('C_GetSlotInfo', (lib) => lib.C_GetSlotInfo(slot));
    const { flags } = info;
    return {
      description: unpadded(info.slotDescription),
      manufacturer: unpadded(info.manufacturerID),
      flags,
    };
  }

  tokenInfo(slot: Handle): TokenInfo {
    const info = this.#call('C_GetTokenInfo', (lib) => lib.C_GetTokenInfo(slot));
    return {
      ...info,
      label: unpadded(info.label),
      manufacturerID: unpadded(info.manufacturerID),
      model: unpadded(info.model),
      serialNumber: unpadded(info.serialNumber),
    };
  }

  mechanisms(slot: Handle): number[] {
    return this.#call('C_GetMechanismList', (lib) => lib.C_GetMechanismList(slot));
  }

  /** Initializes the token, erasing what is on it. `label` has at most 32 bytes; C_InitToken reads just as many. */
  initToken(slot: Handle, soPin: string, label: string): void {
    const padded = label + ' '.repeat(32 - Buffer.byteLength(label));
    this.#call('C_InitToken', (lib) => lib.C_InitToken(slot, soPin, padded));
  }

  initPin(session: Handle, pin: string): void {
    this.#call('C_InitPIN', (lib) => lib.C_InitPIN(session, pin));
  }

  openSession(slot: Handle, options: { readWrite: boolean }): Handle {
    const flags = CKF.SERIAL_SESSION | (options.readWrite ? CKF.RW_SESSION : 0);
    return this.#call('C_OpenSession', (lib) => lib.C_OpenSession(slot, flags));
  }

  closeSession(session: Handle): void {
    this.#call('C_CloseSession', (lib) => lib.C_CloseSession(session));
  }

  isUserLoggedIn(session: Handle): boolean {
    const info: SessionInfo = this.#call('C_GetSessionInfo', (lib) => lib.C_GetSessionInfo(session));
    return info.state === CKS.RO_USER_FUNCTIONS || info.state === CKS.RW_USER_FUNCTIONS;
  }

  login(session: Handle, user: (typeof CKU)[keyof typeof CKU], pin: string): void {
    this.#call('C_Login', (lib) => lib.C_Login(session, user, pin));
  }

  logout(session: Handle): void {
    this.#call('C_Logout', (lib) => lib.C_Logout(session));
  }

  findObjects(session: Handle, template: Template): Handle[] {
    this.#call('C_FindObjectsInit', (lib) => lib.C_FindObjectsInit(session, template));
    try {
      const found: Handle[] = [];
      for (;;) {
        const some = this.#call('C_FindObjects', (lib) => lib.C_FindObjects(session, FIND_AT_ONCE));
        if (some.length === 0) return found;
        found.push(...some);
      }
    } finally {
      this.#call('C_FindObjectsFinal', (lib) => lib.C_FindObjectsFinal(session));
    }
  }

  /** Value of one attribute; `undefined` where the object has none, or does not show it. */
  attribute(session: Handle, object: Handle, type: number): Uint8Array | undefined {
    try {
      const [attribute] = this.#call('C_GetAttributeValue', (lib) =>
        lib.C_GetAttributeValue(session, object, [{ type }]),
      );
      return attribute?.value === undefined ? undefined : Uint8Array.from(attribute.value);
    } catch (error) {
      if (error instanceof Pkcs11Error && NOT_SHOWN.has(error.ckrCode)) return undefined;
      throw error;
    }
  }

  /** A CK_BBOOL attribute; `undefined` where there is none. */
  flag(session: Handle, object: Handle, type: number): boolean | undefined {
    const value = this.attribute(session, object, type);
    return value === undefined || value.length === 0 ? undefined : value[0] !== 0;
  }

  label(session: Handle, object: Handle): string {
    return Buffer.from(this.attribute(session, object, CKA.LABEL) ?? []).toString('utf8');
  }

  signInit(session: Handle, mechanism: number, key: Handle): void {
    this.#call('C_SignInit', (lib) => lib.C_SignInit(session, { mechanism }, key));
  }

  /** Signs on this thread; gives the part of `output` that was written. */
  signBlocking(session: Handle, input: Buffer, output: Buffer): Buffer {
    return this.#call('C_Sign', (lib) => lib.C_Sign(session, input, output));
  }

  /** Signs on a thread of libuv's pool. */
  async signAsync(session: Handle, input: Buffer, output: Buffer): Promise<Buffer> {
    this.#refuseUnlessInitialized('C_Sign');
    try {
      return await this.#lib.C_SignAsync(session, input, output);
    } catch (error) {
      throw callFailed('C_Sign', error);
    }
  }

  async generateKeyPair(session: Handle, mechanism: number, publicKey: Template, privateKey: Template) {
    this.#refuseUnlessInitialized('C_GenerateKeyPair');
    try {
      return await this.#lib.C_GenerateKeyPairAsync(session, { mechanism }, publicKey, privateKey);
    } catch (error) {
      throw callFailed('C_GenerateKeyPair', error);
    }
  }

  createObject(session: Handle, template: Template): Handle {
    return this.#call('C_CreateObject', (lib) => lib.C_CreateObject(session, template));
  }

  destroyObject(session: Handle, object: Handle): void {
    this.#call('C_DestroyObject', (lib) => lib.C_DestroyObject(session, object));
  }

  #call<T>(functionName: string, call: (lib: PKCS11) => T): T {
    this.#refuseUnlessInitialized(functionName);
    try {
      return call(this.#lib);
    } catch (error) {
      throw callFailed(functionName, error);
    }
  }

  #refuseUnlessInitialized(functionName: string): void {
    if (!this.#initialized) throw returned(functionName, CKR.CKR_CRYPTOKI_NOT_INITIALIZED);
  }
}

const NOT_SHOWN: ReadonlySet<number | undefined> = new Set([
  CKR.CKR_ATTRIBUTE_TYPE_INVALID,
  CKR.CKR_ATTRIBUTE_SENSITIVE,
]);
