// Whether a client may have what it asks for. Pure: the client's line, the request and the keys decide.

import {
  type AuthorizedClient,
  type ClientOp,
  coversAlgorithm,
  coversKeyName,
  isExpired,
} from '../protocol/authorized-clients.js';
import type { Op, Request } from '../protocol/messages.js';
import type { ServedKey, ServedKeys } from './served-keys.js';
import { WireError } from './wire-error.js';

export type KeyRequest = Exclude<Request, { op: 'keys' }>;
export type SignRequest = Extract<Request, { op: 'sign' | 'sign-batch' }>;

const RIGHT_FOR: Record<Exclude<Op, 'keys'>, ClientOp> = {
  info: 'info',
  'public-key': 'public-key',
  sign: 'sign',
  'sign-batch': 'sign',
};

const DIGEST_BYTES = 32;

/** The key that the request is for; `WireError` where the client may not use it so. */
export function authorize(request: KeyRequest, client: AuthorizedClient, keys: ServedKeys): ServedKey {
  if (isExpired(client, Date.now())) throw denied('your line in the authorized-clients file has expired');
  const key = keys.get(request.key);
  if (!key || !coversKeyName(client, key.name)) {
    throw new WireError(
      'key-not-found',
      'there is no such key for this client; the request keys lists those there are',
    );
  }
  if (!client.ops.includes(RIGHT_FOR[request.op]))
    throw denied(`this client may not use the op ${RIGHT_FOR[request.op]}`);
  if (!coversAlgorithm(client, key.algorithm)) throw denied(`this client may not use ${key.algorithm} keys`);
  if (isSignRequest(request)) checkData(request, client, key);
  return key;
}

export function isSignRequest(request: Request): request is SignRequest {
  return request.op === 'sign' || request.op === 'sign-batch';
}

/** The messages of a sign request, one or many. */
export const messagesOf = (request: SignRequest): readonly Uint8Array[] =>
  request.op === 'sign' ? [request.data] : request.data;

function checkData(request: SignRequest, client: AuthorizedClient, key: ServedKey): void {
  const messages = messagesOf(request);
  const { maxBytes } = client;
  if (maxBytes !== undefined && messages.some((message) => message.length > maxBytes)) {
    throw denied(`this client may have at most ${maxBytes} bytes signed at a time`);
  }
  if (!request.prehashed) return;
  if (!client.prehashed) throw denied('this client may not have digests signed; send the data itself');
  if (key.algorithm === 'ed25519')
    throw new WireError('invalid-request', '"prehashed" has no meaning with Ed25519');
  if (messages.some((message) => message.length !== DIGEST_BYTES)) {
    throw new WireError('invalid-request', `"data" must be ${DIGEST_BYTES} bytes where "prehashed" is true`);
  }
}

const denied = (message: string) => new WireError('request-denied', message);
