// What C_GetSlotInfo, C_GetTokenInfo and C_GetMechanismList say of slots and tokens.

import type { TokenInfo } from 'pkcs11js';
import { Pkcs11Error } from '../../../errors.js';
import { CKF_SLOT, CKF_TOKEN, CKM } from '../constants.js';
import type { MechanismName, PinState, TokenSummary } from '../engine/hosted-module.js';
import { type Handle, ulong, versionText } from './ck-types.js';
import type { Cryptoki } from './cryptoki.js';

/** The slots that hold a token, in the module's order. */
export function summarizeTokens(cryptoki: Cryptoki): TokenSummary[] {
  const library = cryptoki.libraryInfo();
  return cryptoki.slotsWithToken().map((slot, slotIndex) => ({
    slotIndex,
    libraryManufacturer: library.manufacturer,
    libraryDescription: library.description,
    libraryVersion: library.version,
    ...summarizeSlot(cryptoki, slot),
    ...contentsOf(cryptoki, slot),
  }));
}

/** CKF_USER_PIN_… of C_GetTokenInfo. */
export function pinStateOf(flags: number): PinState {
  if (flags & CKF_TOKEN.USER_PIN_LOCKED) return 'locked';
  if (flags & CKF_TOKEN.USER_PIN_FINAL_TRY) return 'final-try';
  if (flags & CKF_TOKEN.USER_PIN_COUNT_LOW) return 'count-low';
  return flags & CKF_TOKEN.USER_PIN_INITIALIZED ? 'ok' : 'uninitialized';
}

/** CKF_SO_PIN_… of C_GetTokenInfo. SoftHSM sets LOCKED on a token that has no SO PIN yet. */
function soPinStateOf(flags: number): PinState {
  if (!(flags & CKF_TOKEN.TOKEN_INITIALIZED)) return 'uninitialized';
  if (flags & CKF_TOKEN.SO_PIN_LOCKED) return 'locked';
  if (flags & CKF_TOKEN.SO_PIN_FINAL_TRY) return 'final-try';
  return flags & CKF_TOKEN.SO_PIN_COUNT_LOW ? 'count-low' : 'ok';
}

export const hasOwnKeypad = (flags: number): boolean =>
  (flags & CKF_TOKEN.PROTECTED_AUTHENTICATION_PATH) !== 0;

function summarizeSlot(cryptoki: Cryptoki, slot: Handle) {
  const info = cryptoki.slotInfo(slot);
  return {
    slotHandle: slot.toString('hex'),
    slotId: ulong(slot),
    slotDescription: info.description,
    slotManufacturer: info.manufacturer,
    removable: (info.flags & CKF_SLOT.REMOVABLE_DEVICE) !== 0,
    hardware: (info.flags & CKF_SLOT.HW_SLOT) !== 0,
  };
}

/** A token that cannot be read keeps its position in the list. */
function contentsOf(cryptoki: Cryptoki, slot: Handle) {
  try {
    const token = cryptoki.tokenInfo(slot);
    const mechanismNumbers = cryptoki.mechanisms(slot);
    return {
      manufacturer: token.manufacturerID,
      model: token.model,
      serial: token.serialNumber,
      label: token.label,
      ...stateOf(token),
      pinBytes: pinLimits(token),
      firmwareVersion: firmwareText(token),
      hardwareVersion: versionText(token.hardwareVersion),
      maxSessions: sessionLimit(token.maxSessionCount),
      mechanisms: signingMechanisms(mechanismNumbers),
      mechanismNumbers,
    };
  } catch (error) {
    if (!(error instanceof Pkcs11Error)) throw error;
    return { ...UNREADABLE, mechanisms: [], mechanismNumbers: [] };
  }
}

/** libykcs11 puts the three parts of a YubiKey's version into the two of CK_VERSION: 5.4.3 is 5 and 43. */
function firmwareText({ manufacturerID, firmwareVersion }: TokenInfo): string {
  const { major, minor } = firmwareVersion;
  if (!manufacturerID.startsWith('Yubico')) return versionText(firmwareVersion);
  return `${major}.${Math.floor(minor / 10)}.${minor % 10}`;
}

function stateOf({ flags }: TokenInfo) {
  return {
    initialized: (flags & CKF_TOKEN.TOKEN_INITIALIZED) !== 0,
    loginRequired: (flags & CKF_TOKEN.LOGIN_REQUIRED) !== 0,
    writeProtected: (flags & CKF_TOKEN.WRITE_PROTECTED) !== 0,
    ownKeypad: hasOwnKeypad(flags),
    pin: pinStateOf(flags),
    soPin: soPinStateOf(flags),
  };
}

const UNREADABLE = {
  manufacturer: '',
  model: 'unreadable',
  serial: '',
  label: '',
  initialized: false,
  loginRequired: false,
  writeProtected: false,
  ownKeypad: false,
  pin: 'uninitialized',
  soPin: 'uninitialized',
  pinBytes: undefined,
  firmwareVersion: '0.0',
  hardwareVersion: '0.0',
  maxSessions: undefined,
} as const;

/** CK_EFFECTIVELY_INFINITE is 0; CK_UNAVAILABLE_INFORMATION, all ones, keeps 32 of its bits in pkcs11js. */
const sessionLimit = (count: number): number | undefined =>
  count === 0 || count === 0xffffffff ? undefined : count;

/** CK_UNAVAILABLE_INFORMATION, or nothing filled in, is no limit. */
function pinLimits({ minPinLen: min, maxPinLen: max }: TokenInfo): TokenSummary['pinBytes'] {
  return max > 0 && min <= max && max !== 0xffffffff ? { min, max } : undefined;
}

function signingMechanisms(numbers: readonly number[]): MechanismName[] {
  return (['EDDSA', 'ECDSA'] as const).filter((name) => numbers.includes(CKM[name]));
}
