// The calls of PKCS#11 that are used here, over pkcs11js: every failure passes through callFailed, strings lose their
// padding, attributes are asked for one at a time (one that is unavailable would fail the whole batch).
// All calls but `sign` and `generateKeyPair` block the event loop: pkcs11js has no other form of them.
// Invariant: no two calls at the same time (Pkcs11Module.exclusive).

import { endianness } from 'node:os';
import type { PKCS11, SessionInfo, Template, TokenInfo } from 'pkcs11js';
import type { Pkcs11Error } from '../../errors.js';
import { CKA, CKF, CKR, CKS, type CKU } from './constants.js';
import { callFailed } from './errors.js';

/** A slot id, session or object handle: CK_ULONG in the machine's byte order. */
export type Handle = Buffer;

const FIND_AT_ONCE = 64;
const MAX_SIGNATURE_BYTES = 256;

export class Cryptoki {
  readonly #lib: PKCS11;

  constructor(lib: PKCS11) {
    this.#lib = lib;
  }

  /** `false` where other code in this process has initialized the module already. */
  initialize(): boolean {
    try {
      this.#call('C_Initialize', (lib) => lib.C_Initialize({ flags: CKF.OS_LOCKING_OK }));
      return true;
    } catch (error) {
      if ((error as Pkcs11Error).ckrCode === CKR.CKR_CRYPTOKI_ALREADY_INITIALIZED) return false;
      throw error;
    }
  }

  finalize(): void {
    this.#call('C_Finalize', (lib) => lib.C_Finalize());
  }

  libraryInfo(): { manufacturer: string; description: string; version: string } {
    const info = this.#call('C_GetInfo', (lib) => lib.C_GetInfo());
    return {
      manufacturer: unpadded(info.manufacturerID),
      description: unpadded(info.libraryDescription),
      version: `${info.libraryVersion.major}.${info.libraryVersion.minor}`,
    };
  }

  slotsWithToken(): Handle[] {
    return this.#call('C_GetSlotList', (lib) => lib.C_GetSlotList(true));
  }

  slotInfo(slot: Handle): { description: string; manufacturer: string } {
    const info = this.#call('C_GetSlotInfo', (lib) => lib.C_GetSlotInfo(slot));
    return { description: unpadded(info.slotDescription), manufacturer: unpadded(info.manufacturerID) };
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

  /** Initializes the token, erasing what is on it. `label` has at most 32 bytes. */
  initToken(slot: Handle, soPin: string, label: string): void {
    this.#call('C_InitToken', (lib) => lib.C_InitToken(slot, soPin, label.padEnd(32)));
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
      const { ckrCode } = error as Pkcs11Error;
      if (ckrCode === CKR.CKR_ATTRIBUTE_TYPE_INVALID || ckrCode === CKR.CKR_ATTRIBUTE_SENSITIVE)
        return undefined;
      throw error;
    }
  }

  /** A CK_BBOOL attribute; `fallback` where there is none. */
  flag(session: Handle, object: Handle, type: number, fallback: boolean): boolean {
    const value = this.attribute(session, object, type);
    return value === undefined || value.length === 0 ? fallback : value[0] !== 0;
  }

  label(session: Handle, object: Handle): string {
    return Buffer.from(this.attribute(session, object, CKA.LABEL) ?? []).toString('utf8');
  }

  signInit(session: Handle, mechanism: number, key: Handle): void {
    this.#call('C_SignInit', (lib) => lib.C_SignInit(session, { mechanism }, key));
  }

  /** Signs on a thread of libuv's pool. */
  async sign(session: Handle, data: Uint8Array): Promise<Uint8Array> {
    // A zero-length Buffer of its own has a null pointer, which modules refuse (CKR_ARGUMENTS_BAD).
    const input = Buffer.alloc(Math.max(1, data.length)).subarray(0, data.length);
    input.set(data);
    try {
      return Uint8Array.from(await this.#lib.C_SignAsync(session, input, Buffer.alloc(MAX_SIGNATURE_BYTES)));
    } catch (error) {
      throw callFailed('C_Sign', error);
    } finally {
      input.fill(0); // also keeps it from being collected while the module reads it
    }
  }

  async generateKeyPair(session: Handle, mechanism: number, publicKey: Template, privateKey: Template) {
    try {
      return await this.#lib.C_GenerateKeyPairAsync(session, { mechanism }, publicKey, privateKey);
    } catch (error) {
      throw callFailed('C_GenerateKeyPair', error);
    }
  }

  #call<T>(functionName: string, call: (lib: PKCS11) => T): T {
    try {
      return call(this.#lib);
    } catch (error) {
      throw callFailed(functionName, error);
    }
  }
}

/** A CK_ULONG in the machine's byte order. */
export function ulong(bytes: Uint8Array): bigint {
  const bigEndian = endianness() === 'BE' ? Array.from(bytes) : Array.from(bytes).reverse();
  return bigEndian.reduce((value, byte) => (value << 8n) | BigInt(byte), 0n);
}

/** Fixed-length PKCS#11 text is padded with blanks; some modules pad with NUL. */
function unpadded(text: string): string {
  let end = text.length;
  while (end > 0 && (text[end - 1] === ' ' || text[end - 1] === '\0')) end--;
  return text.slice(0, end);
}
