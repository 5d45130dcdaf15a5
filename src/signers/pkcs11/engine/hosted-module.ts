// A PKCS#11 module behind asynchronous calls with plain data in and out. Two classes implement it: LoadedModule (module/),
// the module in this process, and ModuleProcess (process/), the same in a child process behind a pipe. Code above this
// interface may lose the module at any moment and go on with another. Code below it decides nothing: it makes each call
// once, and a failure is a Pkcs11Error with the CKR code and the C_ function.

import type { Algorithm } from '../../types.js';

/** CKM_EDDSA and CKM_ECDSA. */
export type MechanismName = 'EDDSA' | 'ECDSA';

export const mechanismOf: Readonly<Record<Algorithm, MechanismName>> = {
  ed25519: 'EDDSA',
  secp256k1: 'ECDSA',
  p256: 'ECDSA',
};

/** CK_SLOT_ID as the module's handle: the bytes of a CK_ULONG in hex, in the machine's order. */
export type SlotHandle = string;

/** The user PIN by the flags of C_GetTokenInfo. Tokens that never lock show `ok` after any number of wrong PINs. */
export type PinState = 'uninitialized' | 'ok' | 'count-low' | 'final-try' | 'locked';

/** What tells one token from another, wherever it is plugged in. */
export interface TokenName {
  manufacturer: string;
  model: string;
  serial: string;
  label: string;
}

export interface TokenSummary extends TokenName {
  /** Position in C_GetSlotList(tokenPresent = true). */
  slotIndex: number;
  slotHandle: SlotHandle;
  slotId: bigint;
  slotDescription: string;
  slotManufacturer: string;
  /** CKF_REMOVABLE_DEVICE of the slot: a reader or a USB token. */
  removable: boolean;
  /** CKF_HW_SLOT. */
  hardware: boolean;
  /** CKF_TOKEN_INITIALIZED; `false` also for a token that cannot be read, whose `model` is then `unreadable`. */
  initialized: boolean;
  loginRequired: boolean;
  writeProtected: boolean;
  /** CKF_PROTECTED_AUTHENTICATION_PATH: the PIN is typed on the token itself. */
  ownKeypad: boolean;
  pin: PinState;
  /** The same of the security officer's PIN; `ok` also where the token says nothing of it. */
  soPin: PinState;
  /** ulMinPinLen and ulMaxPinLen, in bytes; `undefined` where the token gives no limits that can be. */
  pinBytes: { min: number; max: number } | undefined;
  /** `5.4`; `0.0` where the module does not say. */
  firmwareVersion: string;
  hardwareVersion: string;
  /** ulMaxSessionCount; `undefined` where the token has no limit or does not tell. */
  maxSessions: number | undefined;
  libraryManufacturer: string;
  libraryDescription: string;
  libraryVersion: string;
  /** Mechanisms that the token can sign with. They do not show curves: only a signature by a key does. */
  mechanisms: MechanismName[];
  /** C_GetMechanismList as it is. */
  mechanismNumbers: number[];
}

export interface ModuleDescription {
  manufacturer: string;
  description: string;
  version: string;
  /** Of the specification that the module was written for, e.g. `2.40`. */
  cryptokiVersion: string;
  /** C_GetSlotList(tokenPresent = false). */
  slotCount: number;
}

/** The parts of a token that change. */
export interface TokenStatus {
  pin: PinState;
  ownKeypad: boolean;
  /** By C_GetSessionInfo of the anchor session. */
  loggedIn: boolean;
}

/** What finds a key again in a fresh session. */
export interface KeyIdentity {
  algorithm: Algorithm;
  label: string;
  /** CKA_ID in hex; may be empty. */
  idHex: string;
}

export interface KeySummary extends Omit<KeyIdentity, 'algorithm'> {
  /** `undefined`: a key of another type or curve. */
  algorithm: Algorithm | undefined;
  canSign: boolean;
  /** CKA_PRIVATE: the token keeps it to those who have logged in. */
  needsLogin: boolean;
  /** CKA_ALWAYS_AUTHENTICATE: each signature wants the PIN. */
  alwaysAuthenticate: boolean;
  /** CKA_LOCAL: made on the token. `undefined` where the token does not say; so are the next three. */
  local: boolean | undefined;
  /** CKA_ALWAYS_SENSITIVE. */
  alwaysSensitive: boolean | undefined;
  /** CKA_NEVER_EXTRACTABLE. */
  neverExtractable: boolean | undefined;
  /** CKA_EXTRACTABLE. */
  extractable: boolean | undefined;
}

/** Restricts a search to objects with this label and id. */
export interface KeyFilter {
  label?: string | undefined;
  idHex?: string | undefined;
}

export interface CertificateSummary {
  label: string;
  idHex: string;
  der: Uint8Array;
}

export interface SignRequest {
  key: KeyIdentity;
  /** The message for Ed25519, a digest of 32 bytes for ECDSA. */
  input: Uint8Array;
  /** The PIN for a key with `alwaysAuthenticate`. */
  contextPin?: string | undefined;
}

/** A private key to put on a token. */
export interface ImportedKey extends KeyIdentity {
  /** 32 bytes: the seed (RFC 8032) or the scalar, big-endian. */
  privateKey: Uint8Array;
  /** 32 bytes, or the uncompressed point of 65. */
  publicPoint: Uint8Array;
}

export interface TokenInitialization {
  soPin: string;
  userPin: string;
  /** At most 32 bytes of UTF-8. */
  label: string;
}

export interface TokenOptions {
  /** How many sessions may be lent at once, beside the anchor session; at least 1. */
  sessions: number;
  /** Whether C_Sign may block the event loop of the process that holds the module: quickest with one session. */
  blocking: boolean;
}

export interface HostedModule {
  describe(): Promise<ModuleDescription>;
  tokens(): Promise<TokenSummary[]>;
  /** C_Finalize and C_Initialize: no session, login, handle or opened token is left. */
  reinitialize(): Promise<void>;

  /** Opens the anchor session that holds the login. For a token that is open, only takes the new options. */
  openToken(slot: SlotHandle, options: TokenOptions): Promise<void>;
  closeToken(slot: SlotHandle): Promise<void>;
  /** C_GetTokenInfo and C_GetSessionInfo; never spends a try. */
  tokenStatus(slot: SlotHandle): Promise<TokenStatus>;
  /** One C_Login(CKU_USER), whatever came before. Policy (which PIN may be tried) is the caller's. */
  login(slot: SlotHandle, pin: string): Promise<void>;
  /** C_Logout; no error where nobody is logged in. Key handles are forgotten with it. */
  logout(slot: SlotHandle): Promise<void>;

  keys(slot: SlotHandle, keyClass: 'private' | 'public', filter?: KeyFilter): Promise<KeySummary[]>;
  /** The key's public point, 32, 33 or 65 bytes; `undefined` where the token does not hold it. */
  publicPoint(slot: SlotHandle, key: KeyIdentity): Promise<Uint8Array | undefined>;
  certificates(slot: SlotHandle, filter?: KeyFilter): Promise<CertificateSummary[]>;
  /**
   * 64 bytes, as the token made them. A session that has died is replaced and the signature tried once more; after any
   * other error the session is given up. With `contextPin`: C_SignInit, C_Login(CKU_CONTEXT_SPECIFIC), C_Sign with no other
   * call on the token in between; refused with `pin-locked` before that where the last try is at stake.
   */
  sign(slot: SlotHandle, request: SignRequest): Promise<Uint8Array>;

  /** `key-ambiguous` where label or id is taken; so for an import. */
  generateKeyPair(slot: SlotHandle, key: KeyIdentity): Promise<void>;
  importKeyPair(slot: SlotHandle, key: ImportedKey): Promise<void>;
  /** Deletes the private key, its public key and nothing else; how many objects that were. */
  deleteKeyPair(slot: SlotHandle, key: KeyIdentity): Promise<number>;
  /** C_InitToken and C_InitPIN: erases the token. It must not be open. */
  initToken(slot: SlotHandle, init: TokenInitialization): Promise<void>;

  /** C_Finalize once no call is in flight; a process ends. */
  close(): Promise<void>;
}
