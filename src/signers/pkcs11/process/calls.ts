// What may pass the pipe: for each method of HostedModule the schema of its arguments and of its result. Arguments are
// checked on both sides: a caller's bug shows before any work, and nothing unchecked reaches the binding. Results are
// checked on the host's side, because a faulty module may have overwritten the child's memory.
// Messages never hold what was given: it may be a PIN.

import * as v from 'valibot';
import type { HostedModule } from '../engine/hosted-module.js';

export type Method = keyof HostedModule;
export type Arguments<M extends Method> = Parameters<HostedModule[M]>;
export type Result<M extends Method> = Awaited<ReturnType<HostedModule[M]>>;

const MAX_NAME_BYTES = 255;
const MAX_PIN_BYTES = 1024;
const MAX_SESSIONS = 1024;

const text = v.string('must be text');
const flag = v.boolean('must be a boolean');
const bytes = v.instance(Uint8Array, 'must be bytes');
const count = v.pipe(
  v.number('must be a number'),
  v.safeInteger('must be an integer'),
  v.minValue(0, 'must not be negative'),
);
const algorithm = v.picklist(['ed25519', 'secp256k1', 'p256'], 'must be ed25519, secp256k1 or p256');
const hex = v.pipe(text, v.regex(/^(?:[0-9a-f]{2})*$/i, 'must be hex'));

/** A CK_ULONG in hex. */
const slot = v.pipe(
  text,
  v.regex(/^(?:[0-9a-f]{16}|[0-9a-f]{8})$/i, 'must be a slot handle: 8 bytes in hex, as tokens() gives it'),
);
const label = v.pipe(text, v.maxBytes(MAX_NAME_BYTES, `must have at most ${MAX_NAME_BYTES} bytes`));
const idHex = v.pipe(hex, v.maxLength(2 * MAX_NAME_BYTES, `must have at most ${MAX_NAME_BYTES} bytes`));
const pin = v.pipe(text, v.maxBytes(MAX_PIN_BYTES, `must have at most ${MAX_PIN_BYTES} bytes`));

const keyIdentity = v.object({ algorithm, label, idHex }, 'must be a key');
const filter = v.optional(
  v.object({ label: v.optional(label), idHex: v.optional(idHex) }, 'must be { label, idHex }'),
);
const keyClass = v.picklist(['private', 'public'], 'must be private or public');
const bytesOf = (...lengths: number[]) =>
  v.pipe(
    bytes,
    v.check(({ length }) => lengths.includes(length), `must have ${lengths.join(' or ')} bytes`),
  );

/** 64 bytes: r and s, or RFC 8032's R and S. */
const signature = bytesOf(64);
const signRequest = v.pipe(
  v.object({ key: keyIdentity, input: bytes, contextPin: v.optional(pin) }, 'must be a request'),
  v.check(
    ({ key, input }) => key.algorithm === 'ed25519' || input.length === 32,
    'input must be a digest of 32 bytes for ECDSA',
  ),
);

/** A key that is registered for `sign` frames. */
export const REGISTERED_KEY = v.tuple([slot, keyIdentity], 'must be a slot and a key');
export type RegisteredKey = v.InferOutput<typeof REGISTERED_KEY>;

export const ARGUMENTS: { [M in Method]: v.GenericSchema<unknown, Arguments<M>> } = {
  describe: v.tuple([]),
  tokens: v.tuple([]),
  reinitialize: v.tuple([]),
  openToken: v.tuple([
    slot,
    v.object(
      {
        sessions: v.pipe(
          count,
          v.minValue(1, 'must be at least 1'),
          v.maxValue(MAX_SESSIONS, `must be at most ${MAX_SESSIONS}`),
        ),
        blocking: flag,
      },
      'must be { sessions, blocking }',
    ),
  ]),
  closeToken: v.tuple([slot]),
  tokenStatus: v.tuple([slot]),
  login: v.tuple([slot, pin]),
  logout: v.tuple([slot]),
  keys: v.tuple([slot, keyClass, filter]),
  publicPoint: v.tuple([slot, keyIdentity]),
  certificates: v.tuple([slot, filter]),
  sign: v.tuple([slot, signRequest]),
  generateKeyPair: v.tuple([slot, keyIdentity]),
  importKeyPair: v.tuple([
    slot,
    v.object(
      { ...keyIdentity.entries, privateKey: bytesOf(32), publicPoint: bytesOf(32, 65) },
      'must be a key to import',
    ),
  ]),
  deleteKeyPair: v.tuple([slot, keyIdentity]),
  initToken: v.tuple([
    slot,
    v.object({ soPin: pin, userPin: pin, label }, 'must be { soPin, userPin, label }'),
  ]),
  close: v.tuple([]),
};

const nothing = v.undefined('must be nothing');
const maybeFlag = v.undefinedable(flag);
const pinState = v.picklist(
  ['uninitialized', 'ok', 'count-low', 'final-try', 'locked'],
  'must be a PIN state',
);
// CBOR has one kind of integer: small ones come as numbers.
const bigInteger = v.pipe(
  v.union([v.bigint(), count], 'must be an integer'),
  v.transform((value) => BigInt(value)),
);

const tokenSummary = v.object({
  manufacturer: text,
  model: text,
  serial: text,
  label: text,
  slotIndex: count,
  slotHandle: slot,
  slotId: bigInteger,
  slotDescription: text,
  slotManufacturer: text,
  removable: flag,
  hardware: flag,
  initialized: flag,
  loginRequired: flag,
  writeProtected: flag,
  ownKeypad: flag,
  pin: pinState,
  soPin: pinState,
  pinBytes: v.undefinedable(v.object({ min: count, max: count })),
  firmwareVersion: text,
  hardwareVersion: text,
  maxSessions: v.undefinedable(count),
  libraryManufacturer: text,
  libraryDescription: text,
  libraryVersion: text,
  mechanisms: v.array(v.picklist(['EDDSA', 'ECDSA'], 'must be EDDSA or ECDSA')),
  mechanismNumbers: v.array(count),
});

const keySummary = v.object({
  algorithm: v.undefinedable(algorithm),
  label: text,
  idHex: hex,
  canSign: flag,
  needsLogin: flag,
  alwaysAuthenticate: flag,
  local: maybeFlag,
  alwaysSensitive: maybeFlag,
  neverExtractable: maybeFlag,
  extractable: maybeFlag,
});

export const RESULTS: { [M in Method]: v.GenericSchema<unknown, Result<M>> } = {
  describe: v.object({
    manufacturer: text,
    description: text,
    version: text,
    cryptokiVersion: text,
    slotCount: count,
  }),
  tokens: v.array(tokenSummary),
  reinitialize: nothing,
  openToken: nothing,
  closeToken: nothing,
  tokenStatus: v.object({ pin: pinState, ownKeypad: flag, loggedIn: flag }),
  login: nothing,
  logout: nothing,
  keys: v.array(keySummary),
  publicPoint: v.undefinedable(bytesOf(32, 33, 65)),
  certificates: v.array(v.object({ label: text, idHex: hex, der: bytes })),
  sign: signature,
  generateKeyPair: nothing,
  importKeyPair: nothing,
  deleteKeyPair: count,
  initToken: nothing,
  close: nothing,
};

/** `given` as the arguments of `method`, stripped of what does not belong there; a TypeError that says what is wrong. */
export function checkedArguments<M extends Method>(method: M, given: readonly unknown[]): Arguments<M> {
  const checked = v.safeParse(ARGUMENTS[method], [...given]);
  if (checked.success) return checked.output as Arguments<M>;
  throw new TypeError(`${method}: ${problem(checked.issues[0])}`);
}

/** The first thing that is wrong, by where it is. valibot's own words would quote what was given. */
function problem(issue: v.BaseIssue<unknown>): string {
  const path = v.getDotPath(issue);
  const isOurs = issue.message.startsWith('must ') || issue.message.startsWith('input must ');
  return `argument ${path ?? ''} ${isOurs ? issue.message : 'is missing or of another kind'}`;
}
