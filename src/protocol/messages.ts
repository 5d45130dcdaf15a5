// The messages of docs/PROTOCOL.md §4 to §6: their types, and the only encoders and decoders of them. Both roles use it.
// Decoders take any bytes and give a value of the type, or throw: `ProtocolError` where the connection must end,
// `InvalidRequestError` where the bridge can still answer.

import * as v from 'valibot';
import { decodeCbor, encodeCbor } from './cbor.js';
import { ProtocolError } from './protocol-error.js';

export { encodedByteStringLength, longestByteString } from './cbor.js';

/** Bytes of a request's id. */
export const REQUEST_ID_LENGTH = 16;
/** Most messages in one `sign-batch`, so that its answer fits a message as well. */
export const MAX_BATCH_MESSAGES = 1024;
/** Longest name of a key or client, in bytes of UTF-8. */
export const MAX_NAME_BYTES = 128;

const ALGORITHMS = ['ed25519', 'secp256k1', 'p256'] as const;
const ERROR_CODES = [
  'invalid-request',
  'key-not-found',
  'request-denied',
  'rate-limited',
  'bridge-busy',
  'timeout',
  'key-unavailable',
  'bridge-error',
] as const;

const uint8Array = v.custom<Uint8Array>((value) => value instanceof Uint8Array, 'must be bytes');
const bytesOf = (length: number) => v.pipe(uint8Array, v.length(length, `must be ${length} bytes`));
const text = v.string('must be text');
const name = v.pipe(
  text,
  v.minBytes(1, 'must not be empty'),
  v.maxBytes(MAX_NAME_BYTES, `must be at most ${MAX_NAME_BYTES} bytes`),
);
const algorithm = v.picklist(ALGORITHMS, `must be one of ${ALGORITHMS.join(', ')}`);
const textMap = v.custom<Record<string, string>>(isTextMap, 'must be a map of text to text');
const id = bytesOf(REQUEST_ID_LENGTH);
const prehashed = v.exactOptional(v.literal(true, 'must be true or absent'));

const keyInfo = v.strictObject({
  name,
  algorithm,
  spki: v.exactOptional(uint8Array),
  info: textMap,
});
const keyList = v.pipe(
  v.array(keyInfo, 'must be a list'),
  v.check((keys) => new Set(keys.map((key) => key.name)).size === keys.length, 'must not name a key twice'),
);
const signature = {
  signature: bytesOf(64),
  recovery: v.exactOptional(v.picklist([0, 1, 2, 3] as const, 'must be 0, 1, 2 or 3')),
};

const REQUESTS = {
  keys: v.strictObject({ id, op: v.literal('keys') }),
  info: v.strictObject({ id, op: v.literal('info'), key: name }),
  'public-key': v.strictObject({ id, op: v.literal('public-key'), key: name }),
  sign: v.strictObject({ id, op: v.literal('sign'), key: name, data: uint8Array, prehashed }),
  'sign-batch': v.strictObject({
    id,
    op: v.literal('sign-batch'),
    key: name,
    data: v.pipe(
      v.array(uint8Array, 'must be a list of bytes'),
      v.minLength(1, 'must not be empty'),
      v.maxLength(MAX_BATCH_MESSAGES, `must have at most ${MAX_BATCH_MESSAGES} messages`),
    ),
    prehashed,
  }),
};

const RESULTS = {
  keys: v.strictObject({ keys: keyList }),
  info: v.strictObject({ algorithm, metadata: textMap }),
  'public-key': v.strictObject({ spki: uint8Array }),
  sign: v.strictObject(signature),
  'sign-batch': v.strictObject({ signatures: v.array(v.strictObject(signature), 'must be a list') }),
};

const WELCOME = v.strictObject({
  type: v.literal('welcome'),
  client: name,
  version: text,
  maxRequestBytes: v.pipe(
    v.number('must be an integer'),
    v.safeInteger('must be an integer'),
    v.minValue(1, 'must be positive'),
  ),
  keys: keyList,
});
// A code that this version does not know is still an answer to one request.
const ERROR_ANSWER = v.strictObject({ type: v.literal('error'), id, code: text, message: text });
const RESULT_ANSWER = v.looseObject({ type: v.literal('result'), id });
const PAIRING_PAYLOAD = v.strictObject({ name });

/** What a client may ask for. */
export type Op = keyof typeof REQUESTS;
/** One request with the fields of its op. `prehashed` is `true` or absent. */
export type Request = { [O in Op]: v.InferOutput<(typeof REQUESTS)[O]> }[Op];
/** The fields that a result has besides `type` and `id`, by op. */
export type ResultOf<O extends Op> = v.InferOutput<(typeof RESULTS)[O]>;
/** A signature on the wire: 64 bytes, and the recovery id where the key is secp256k1. */
export type WireSignature = ResultOf<'sign'>;
/** One key that a client may use. `spki` is absent where the client may not know it. */
export type KeyInfo = v.InferOutput<typeof keyInfo>;
/** The bridge's first message. */
export type Welcome = v.InferOutput<typeof WELCOME>;
/** Codes of docs/PROTOCOL.md §6. */
export type WireErrorCode = (typeof ERROR_CODES)[number];
/** An error answer; its code may be one that this version does not know. */
export type ErrorAnswer = Omit<v.InferOutput<typeof ERROR_ANSWER>, 'code'> & {
  code: WireErrorCode | (string & {});
};
/** A result whose fields are not checked yet: `resultFields` does, once the id has told the op. */
export type ResultAnswer = { type: 'result'; id: Uint8Array; fields: Record<string, unknown> };
export type BridgeMessage = Welcome | ErrorAnswer | ResultAnswer;

/** A request that is well-formed enough to be answered with `invalid-request`; the message says what is wrong with it. */
export class InvalidRequestError extends Error {
  override readonly name = 'InvalidRequestError';
  /** The request's id, 16 bytes. */
  readonly id: Uint8Array;

  constructor(id: Uint8Array, message: string) {
    super(message);
    this.id = id;
  }
}

/** Encodes a request; `TypeError` where it is not one. */
export function encodeRequest(request: Request): Uint8Array {
  return encodeChecked(REQUESTS[request.op], request);
}

/** Decodes a request. `ProtocolError` where it has no id to answer to, `InvalidRequestError` for any other fault. */
export function decodeRequest(message: Uint8Array): Request {
  const value = decodeCbor(message);
  if (!isMap(value) || !v.is(id, value.id)) throw new ProtocolError('a request has no id of 16 bytes');
  const { op } = value;
  if (typeof op !== 'string' || !Object.hasOwn(REQUESTS, op)) {
    throw new InvalidRequestError(value.id, `"op" must be one of ${Object.keys(REQUESTS).join(', ')}`);
  }
  const parsed = v.safeParse(REQUESTS[op as Op], value);
  if (!parsed.success) throw new InvalidRequestError(value.id, describe(parsed.issues[0]));
  return parsed.output;
}

/** Encodes the welcome; `TypeError` where it is not one. */
export function encodeWelcome(welcome: Omit<Welcome, 'type'>): Uint8Array {
  return encodeChecked(WELCOME, { ...welcome, type: 'welcome' });
}

/** Encodes the result of request `id`; `TypeError` where its fields are not those of `op`. */
export function encodeResult<O extends Op>(op: O, id: Uint8Array, result: ResultOf<O>): Uint8Array {
  const fields = checked(RESULTS[op], result);
  return encodeChecked(RESULT_ANSWER, { ...fields, type: 'result', id });
}

/** Encodes an error answer to request `id`. */
export function encodeError(id: Uint8Array, code: WireErrorCode, message: string): Uint8Array {
  return encodeChecked(ERROR_ANSWER, { type: 'error', id, code, message });
}

/** Decodes what a bridge sent; `ProtocolError` where it is none of its messages. */
export function decodeBridgeMessage(message: Uint8Array): BridgeMessage {
  const value = decodeCbor(message);
  switch (isMap(value) ? value.type : undefined) {
    case 'welcome':
      return received(WELCOME, value);
    case 'error':
      return received(ERROR_ANSWER, value);
    case 'result': {
      const { type, id, ...fields } = received(RESULT_ANSWER, value);
      return { type, id, fields };
    }
    default:
      throw new ProtocolError('the bridge sent a message of no known type');
  }
}

/** The fields of an answer to a request of `op`; `ProtocolError` where they are not its. */
export function resultFields<O extends Op>(op: O, answer: ResultAnswer): ResultOf<O> {
  return received(RESULTS[op], answer.fields) as ResultOf<O>;
}

/** Encodes the third payload of a pairing: the name that the client proposes, 1 to 128 bytes of UTF-8. */
export function encodePairingPayload(proposedName: string): Uint8Array {
  return encodeChecked(PAIRING_PAYLOAD, { name: proposedName });
}

/** Decodes the third payload of a pairing; `ProtocolError` where it is none. */
export function decodePairingPayload(payload: Uint8Array): { name: string } {
  return received(PAIRING_PAYLOAD, decodeCbor(payload));
}

type Schema = v.GenericSchema;

function encodeChecked(schema: Schema, value: Record<string, unknown>): Uint8Array {
  return encodeCbor(checked(schema, value) as Record<string, unknown>);
}

// Our own mistake, so a TypeError.
function checked<S extends Schema>(schema: S, value: unknown): v.InferOutput<S> {
  const parsed = v.safeParse(schema, value);
  if (!parsed.success) throw new TypeError(describe(parsed.issues[0]));
  return parsed.output;
}

// The peer's.
function received<S extends Schema>(schema: S, value: unknown): v.InferOutput<S> {
  const parsed = v.safeParse(schema, value);
  if (!parsed.success) throw new ProtocolError(`the peer's message is wrong: ${describe(parsed.issues[0])}`);
  return parsed.output;
}

/** What is wrong, by our own names of fields only: nothing that the peer sent is repeated. */
function describe(issue: v.BaseIssue<unknown>): string {
  const path = issue.path?.map((item) => item.key) ?? [];
  if (issue.type === 'strict_object' && issue.expected === 'never') {
    return path.length > 1 ? `unknown field in "${path.slice(0, -1).join('.')}"` : 'unknown field';
  }
  const field = path.length > 0 ? `"${path.join('.')}"` : 'the message';
  if (issue.received === 'undefined') return `${field} is missing`;
  return `${field} ${issue.type === 'literal' && issue.message.startsWith('Invalid') ? 'is wrong' : issue.message}`;
}

function isTextMap(value: unknown): boolean {
  return (
    isMap(value) &&
    Object.entries(value).every(([key, item]) => key !== '__proto__' && typeof item === 'string')
  );
}

function isMap(value: unknown): value is Record<string, unknown> {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array)
  );
}
