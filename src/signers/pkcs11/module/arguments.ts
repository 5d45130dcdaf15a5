// What a caller may ask for, checked before it reaches the binding, which does not survive every wrong type or value.
// Invariant: messages say which argument is wrong, and never hold a PIN, a key or data to be signed.

import type {
  ImportedKey,
  KeyFilter,
  KeyIdentity,
  SignRequest,
  SlotHandle,
  TokenInitialization,
  TokenOptions,
} from '../engine/hosted-module.js';
import { mechanismOf } from '../engine/hosted-module.js';
import type { Handle } from './ck-types.js';

const MAX_LABEL_BYTES = 255;
const MAX_ID_BYTES = 255;
const MAX_PIN_BYTES = 1024;
const MAX_SESSIONS = 1024;
const MAX_MESSAGE_BYTES = 1 << 30;
const HEX = /^([0-9a-f]{2})*$/;

/** A CK_ULONG has 8 bytes, or 4 on Windows and on 32-bit machines. */
export function slotOf(handle: SlotHandle): Handle {
  if (typeof handle === 'string' && HEX.test(handle) && (handle.length === 16 || handle.length === 8)) {
    return Buffer.from(handle, 'hex');
  }
  throw new TypeError('slot must be a handle of 8 bytes in hex, as tokens() gives it');
}

export function checkIdentity({ algorithm, label, idHex }: KeyIdentity): void {
  if (typeof algorithm !== 'string' || !Object.hasOwn(mechanismOf, algorithm)) {
    throw new TypeError('algorithm must be ed25519, secp256k1 or p256');
  }
  checkLabel(label);
  checkId(idHex);
}

export function checkFilter({ label, idHex }: KeyFilter): void {
  if (label !== undefined) checkLabel(label);
  if (idHex !== undefined) checkId(idHex);
}

export function checkSignRequest({ key, input, contextPin }: SignRequest): void {
  checkIdentity(key);
  if (!(input instanceof Uint8Array)) throw new TypeError('input must be a Uint8Array');
  if (key.algorithm !== 'ed25519' && input.length !== 32) {
    throw new RangeError(`input for ${key.algorithm} must be a digest of 32 bytes, got ${input.length}`);
  }
  if (input.length > MAX_MESSAGE_BYTES) throw new RangeError('input is longer than 1 GiB');
  if (contextPin !== undefined) checkPin(contextPin, 'contextPin');
}

export function checkPin(pin: string, name: string): void {
  if (typeof pin !== 'string') throw new TypeError(`${name} must be a string`);
  const bytes = Buffer.byteLength(pin);
  if (bytes === 0 || bytes > MAX_PIN_BYTES) {
    throw new RangeError(`${name} must have 1 to ${MAX_PIN_BYTES} bytes of UTF-8`);
  }
}

export function checkTokenOptions({ sessions, blocking }: TokenOptions): void {
  if (typeof blocking !== 'boolean') throw new TypeError('blocking must be true or false');
  if (!Number.isInteger(sessions)) throw new TypeError('sessions must be a whole number');
  if (sessions < 1 || sessions > MAX_SESSIONS) {
    throw new RangeError(`sessions must be 1 to ${MAX_SESSIONS}, got ${sessions}`);
  }
}

export function checkImportedKey(key: ImportedKey): void {
  checkIdentity(key);
  const { algorithm, privateKey, publicPoint } = key;
  checkBytes(privateKey, 'privateKey', 32);
  checkBytes(publicPoint, 'publicPoint', algorithm === 'ed25519' ? 32 : 65);
  if (algorithm !== 'ed25519' && publicPoint[0] !== 4) {
    throw new RangeError('publicPoint must be an uncompressed point (SEC 1 §2.3.3)');
  }
}

export function checkTokenInitialization({ soPin, userPin, label }: TokenInitialization): void {
  checkPin(soPin, 'soPin');
  checkPin(userPin, 'userPin');
  checkLabel(label);
  if (label === '' || Buffer.byteLength(label) > 32) {
    throw new RangeError('label must have 1 to 32 bytes of UTF-8');
  }
}

function checkLabel(label: string): void {
  if (typeof label !== 'string') throw new TypeError('label must be a string');
  // A UTF-16 unit has at most three bytes of UTF-8.
  if (label.length * 3 <= MAX_LABEL_BYTES) return;
  if (Buffer.byteLength(label) > MAX_LABEL_BYTES) {
    throw new RangeError(`label must have at most ${MAX_LABEL_BYTES} bytes of UTF-8`);
  }
}

function checkId(idHex: string): void {
  if (typeof idHex !== 'string' || !HEX.test(idHex)) {
    throw new TypeError('idHex must be bytes in lower-case hex');
  }
  if (idHex.length > 2 * MAX_ID_BYTES) throw new RangeError(`idHex must have at most ${MAX_ID_BYTES} bytes`);
}

function checkBytes(bytes: Uint8Array, name: string, length: number): void {
  if (!(bytes instanceof Uint8Array)) throw new TypeError(`${name} must be a Uint8Array`);
  if (bytes.length !== length) throw new RangeError(`${name} must have ${length} bytes, got ${bytes.length}`);
}
