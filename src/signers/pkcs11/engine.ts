// The seam below Pkcs11Signer: what it asks of a module, as asynchronous calls with plain data in and out. Today the
// module runs in this process (InProcessEngine); the same calls can go to a process of its own.

import type { Algorithm } from '../types.js';

/** CKM_EDDSA and CKM_ECDSA. */
export type MechanismName = 'EDDSA' | 'ECDSA';

export const mechanismOf: Readonly<Record<Algorithm, MechanismName>> = {
  ed25519: 'EDDSA',
  secp256k1: 'ECDSA',
  p256: 'ECDSA',
};

export interface TokenSummary {
  /** Position in C_GetSlotList(tokenPresent = true). */
  slotIndex: number;
  /** CK_SLOT_ID, in hex as the module's handle. */
  slotHandle: string;
  slotId: bigint;
  slotDescription: string;
  slotManufacturer: string;
  initialized: boolean;
  loginRequired: boolean;
  label: string;
  manufacturer: string;
  model: string;
  serial: string;
  libraryManufacturer: string;
  libraryDescription: string;
  libraryVersion: string;
  /** Mechanisms that the token can sign with. They do not show curves: only a signature by a key does. */
  mechanisms: MechanismName[];
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
  /** CKA_ALWAYS_AUTHENTICATE: each signature wants the PIN. */
  alwaysAuthenticate: boolean;
}

/** Restricts a search to keys with this label and id. */
export interface KeyFilter {
  label?: string | undefined;
  idHex?: string | undefined;
}

export interface SignRequest {
  key: KeyIdentity;
  /** The message for Ed25519, a digest of 32 bytes for ECDSA. */
  input: Uint8Array;
  /** The PIN for a key with `alwaysAuthenticate`. */
  contextPin?: string | undefined;
}

/** One token with its session, shared by all that opened it through the same engine. */
export interface TokenConnection {
  /** Logs in, or checks that `pin` is the one logged in. Never a second try of a PIN that was refused. */
  login(pin: string | undefined): Promise<void>;
  privateKeys(filter?: KeyFilter): Promise<KeySummary[]>;
  publicKeys(filter?: KeyFilter): Promise<KeySummary[]>;
  /** The key's public point, 32, 33 or 65 bytes; `undefined` where the token does not hold it. */
  publicPoint(key: KeyIdentity): Promise<Uint8Array | undefined>;
  /** 64 bytes, as the token made them. */
  sign(request: SignRequest, signal?: AbortSignal): Promise<Uint8Array>;
  generateKeyPair(key: KeyIdentity): Promise<void>;
  close(): Promise<void>;
}

export interface Pkcs11Engine {
  readonly modulePath: string;
  listTokens(): Promise<TokenSummary[]>;
  /** Finalizes and initializes the module, unless somebody else is using it: some find tokens only then. */
  restart(): Promise<void>;
  connect(token: TokenSummary): Promise<TokenConnection>;
  release(): Promise<void>;
}
