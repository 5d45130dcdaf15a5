// A request's way through the bridge: decode, admit, authorize, run, record, answer.
//
// Invariant: no answer leaves before the request's line is on disk in the request log; a signature whose line cannot be
// written is not released. The client learns a code and a message of ours; a signer's own error goes to the log.

import { createHash } from 'node:crypto';

import { bytesToHex } from '../bytes.js';
import { SignerError } from '../errors.js';
import {
  decodeRequest,
  encodeError,
  encodeResult,
  InvalidRequestError,
  type Request,
  type WireErrorCode,
  type WireSignature,
} from '../protocol/messages.js';
import type { Signature } from '../signers/signature.js';
import { authorize, isSignRequest, type KeyRequest, messagesOf, type SignRequest } from './authorize.js';
import type { Connection } from './connection.js';
import type { BridgeLog } from './log.js';
import type { RateLimits } from './rate-limits.js';
import type { RequestLog, RequestLogEntry } from './request-log.js';
import type { Admission, RequestQueue } from './request-queue.js';
import { keysOf, type ServedKey, type ServedKeys } from './served-keys.js';
import { connectionEnded, WireError } from './wire-error.js';

export interface RequestContext {
  readonly keys: ServedKeys;
  readonly queue: RequestQueue;
  readonly rates: RateLimits;
  readonly requestLog: RequestLog;
  readonly log: BridgeLog;
}

/** What a request came to: the message for the client, and what its line in the log says of it. */
interface Outcome {
  answer: Uint8Array;
  record: Partial<RequestLogEntry> & Pick<RequestLogEntry, 'result'>;
}

/** Refusals that the client could have avoided. */
const BY_THE_CLIENT: readonly WireErrorCode[] = [
  'invalid-request',
  'key-not-found',
  'request-denied',
  'rate-limited',
  'bridge-busy',
];

const LOG_FAILED =
  'the bridge cannot write its request log, so nothing is released; its operator must see to the disk';

/**
 * Handles one message of a connection; the answer follows by itself. `ProtocolError` where the message has no id to
 * answer to; never rejects later.
 */
export function handleRequest(message: Uint8Array, connection: Connection, context: RequestContext): void {
  const decoded = decode(message);
  const id = bytesToHex(decoded.id);
  let admission: Admission;
  try {
    if (connection.requests.has(id))
      throw new WireError('invalid-request', '"id" is in use by an open request');
    admission = context.queue.admit(connection.requests.size, message.length);
  } catch (error) {
    void refuse(decoded.id, connection, context, error, decoded.request);
    return;
  }
  connection.requests.set(id, admission);
  void serve(decoded, connection, context, admission.signal).finally(() => {
    connection.requests.delete(id);
    admission.done();
  });
}

type Decoded = { id: Uint8Array; request?: Request; error?: InvalidRequestError };

function decode(message: Uint8Array): Decoded {
  try {
    const request = decodeRequest(message);
    return { id: request.id, request };
  } catch (error) {
    if (error instanceof InvalidRequestError) return { id: error.id, error };
    throw error;
  }
}

async function serve(
  { id, request, error }: Decoded,
  connection: Connection,
  context: RequestContext,
  signal: AbortSignal,
): Promise<void> {
  if (!request) return refuse(id, connection, context, new WireError('invalid-request', error!.message));
  let outcome: Outcome;
  try {
    outcome = await execute(request, connection, context, signal);
  } catch (error) {
    return refuse(id, connection, context, error, request);
  }
  await recordThenAnswer(id, connection, context, outcome, request);
}

async function execute(
  request: Request,
  connection: Connection,
  context: RequestContext,
  signal: AbortSignal,
): Promise<Outcome> {
  const { client } = connection;
  takeRate(request, connection, context);
  if (request.op === 'keys')
    return done(encodeResult('keys', request.id, { keys: keysOf(client, context.keys) }));
  const key = authorize(request, client, context.keys);
  return isSignRequest(request)
    ? sign(request, key, connection, context.queue, signal)
    : describe(request, key);
}

function takeRate(request: Request, { client, fingerprint }: Connection, { rates }: RequestContext): void {
  const cost = request.op === 'sign-batch' ? request.data.length : 1;
  const waitMs = rates.take(client, fingerprint, cost);
  if (waitMs === Number.POSITIVE_INFINITY) {
    throw new WireError(
      'rate-limited',
      `this client's rate never allows ${cost} messages at a time; send smaller batches`,
    );
  }
  if (waitMs > 0)
    throw new WireError('rate-limited', `this client's rate is used up; try again in ${waitMs} ms`);
}

function describe(request: Exclude<KeyRequest, SignRequest>, { algorithm, info, spki }: ServedKey): Outcome {
  if (request.op === 'public-key') return done(encodeResult('public-key', request.id, { spki }));
  return done(encodeResult('info', request.id, { algorithm, metadata: { ...info } }));
}

const done = (answer: Uint8Array): Outcome => ({ answer, record: { result: 'ok' } });

async function sign(
  request: SignRequest,
  key: ServedKey,
  connection: Connection,
  queue: RequestQueue,
  signal: AbortSignal,
): Promise<Outcome> {
  const messages = messagesOf(request).length;
  const run = { key: key.name, client: connection.fingerprint, messages, signal };
  const signatures = await queue.run(run, () => {
    if (!connection.open) throw connectionEnded();
    return callSigner(request, key, signal);
  });
  if (signatures.length !== messages) throw new Error('the signer gave a wrong number of signatures');
  const wire = signatures.map((signature) => toWire(signature, key));
  const hashes = wire.map(({ signature }) => sha256Hex(signature));
  return request.op === 'sign'
    ? { answer: encodeResult('sign', request.id, wire[0]!), record: { result: 'ok', signature: hashes[0]! } }
    : {
        answer: encodeResult('sign-batch', request.id, { signatures: wire }),
        record: { result: 'ok', signatures: hashes },
      };
}

// What a signer throws can hold paths or a token's details: none of it goes to the client.
async function callSigner(
  request: SignRequest,
  { signer }: ServedKey,
  signal: AbortSignal,
): Promise<Signature[]> {
  const options = { prehashed: request.prehashed ?? false, signal };
  try {
    return request.op === 'sign'
      ? [await signer.sign(request.data, options)]
      : await signer.signBatch(request.data, options);
  } catch (cause) {
    if (cause instanceof TypeError || cause instanceof RangeError) {
      throw new WireError('invalid-request', 'the key cannot sign data of this kind or length', { cause });
    }
    if (cause instanceof SignerError && cause.code === 'signer-busy') {
      throw new WireError('bridge-busy', 'too many requests wait for this key; try again later', { cause });
    }
    throw new WireError('key-unavailable', "the key's signer failed; the bridge's log has the cause", {
      cause,
    });
  }
}

function toWire({ bytes, recovery }: Signature, { algorithm }: ServedKey): WireSignature {
  if (algorithm !== 'secp256k1') return { signature: bytes };
  if (recovery === undefined) throw new Error('the signer gave no recovery id');
  return { signature: bytes, recovery: recovery as 0 | 1 | 2 | 3 };
}

function refuse(
  id: Uint8Array,
  connection: Connection,
  context: RequestContext,
  cause: unknown,
  request?: Request,
): Promise<void> {
  const error =
    cause instanceof WireError
      ? cause
      : new WireError('bridge-error', 'the bridge failed; its log has the cause', { cause });
  if (error.cause !== undefined) {
    const key = request && 'key' in request ? request.key : undefined;
    context.log.error(
      { client: connection.client.name, key, code: error.code, err: error.cause },
      'request failed',
    );
  }
  if (BY_THE_CLIENT.includes(error.code)) connection.countRefusal();
  const outcome = { answer: encodeError(id, error.code, error.message), record: { result: error.code } };
  return recordThenAnswer(id, connection, context, outcome, request);
}

async function recordThenAnswer(
  id: Uint8Array,
  connection: Connection,
  { requestLog, log }: RequestContext,
  { answer, record }: Outcome,
  request: Request | undefined,
): Promise<void> {
  try {
    await requestLog.append({
      time: new Date().toISOString(),
      id: bytesToHex(id),
      client: connection.client.name,
      fingerprint: connection.fingerprint,
      ...(request && describeRequest(request)),
      ...record,
    });
  } catch (error) {
    log.error(
      { client: connection.client.name, err: error },
      'the request log cannot be written; nothing is released',
    );
    connection.send(encodeError(id, 'bridge-error', LOG_FAILED));
    return;
  }
  connection.send(answer);
}

function describeRequest(request: Request): Partial<RequestLogEntry> {
  if (request.op === 'keys') return { op: request.op };
  if (!isSignRequest(request)) return { op: request.op, key: request.key };
  const digests = messagesOf(request).map((message) =>
    isDigest(request, message) ? bytesToHex(message) : sha256Hex(message),
  );
  return {
    op: request.op,
    key: request.key,
    ...(request.op === 'sign' ? { digest: digests[0]! } : { digests }),
    ...(request.prehashed && { prehashed: true }),
  };
}

// A denied request may call anything a digest; whole data must not get into the log.
const isDigest = (request: SignRequest, message: Uint8Array) =>
  request.prehashed === true && message.length === 32;

const sha256Hex = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
