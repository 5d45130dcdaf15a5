// The other end of the control socket: asks the bridge that runs on a state directory.

import { request } from 'node:http';

import { SignerError, type SignerErrorCode } from '../errors.js';
import type { BridgeStatus, ClientStatus } from './bridge-types.js';
import { checkSocketPath } from './control-socket.js';
import type { PairOptions } from './grant.js';
import { statePaths } from './state-dir.js';

/**
 * Every call rejects with `SignerError`: `bridge-unreachable` where no bridge runs on the directory or this user may not
 * speak to it, else what the bridge answered. `pair` is a `RangeError` for options that no client's line can hold.
 */
export interface ControlClient {
  /** A pairing link, `http(s)://host:port/#pair=…`. */
  pair(options?: PairOptions): Promise<string>;
  clients(): Promise<ClientStatus[]>;
  /** `false` where no client has this name. */
  revoke(name: string): Promise<boolean>;
  status(): Promise<BridgeStatus>;
}

interface Answer {
  status: number;
  body: { link?: string; clients?: ClientStatus[]; error?: { code: string; message: string } };
}

const TIMEOUT_MS = 10_000;

/** For the bridge that runs on `stateDir`. `ConfigError` where the path is too long for a socket. */
export function controlClient(stateDir: string): ControlClient {
  const { controlSocket, dir } = statePaths(stateDir);
  checkSocketPath(controlSocket);
  const call = (method: string, path: string, body?: object) => send(controlSocket, dir, method, path, body);
  return {
    pair: async (options = {}) => expectOk(await call('POST', '/pair', options)).body.link!,
    clients: async () => expectOk(await call('GET', '/clients')).body.clients!,
    revoke: async (name) => {
      const answer = await call('DELETE', `/clients/${encodeURIComponent(name)}`);
      return answer.status !== 404 && expectOk(answer).status === 204;
    },
    status: async () => expectOk(await call('GET', '/status')).body as unknown as BridgeStatus,
  };
}

function expectOk(answer: Answer): Answer {
  const { error } = answer.body;
  if (!error) return answer;
  if (error.code === 'invalid-request') throw new RangeError(error.message);
  throw new SignerError(error.code as SignerErrorCode, error.message);
}

function send(
  socketPath: string,
  stateDir: string,
  method: string,
  path: string,
  body?: object,
): Promise<Answer> {
  const text = body === undefined ? '' : JSON.stringify(body);
  const headers = {
    Host: 'control',
    'Content-Type': 'application/json',
    'Content-Length': Buffer.byteLength(text),
  };
  return new Promise((resolve, reject) => {
    const call = request(
      { socketPath, method, path, headers, timeout: TIMEOUT_MS, agent: false },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('error', (cause) => reject(unreachable(cause, stateDir)));
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => {
          try {
            const json = Buffer.concat(chunks).toString();
            resolve({ status: response.statusCode ?? 0, body: json === '' ? {} : JSON.parse(json) });
          } catch (cause) {
            reject(unreachable(cause as Error, stateDir));
          }
        });
      },
    );
    call.on('timeout', () => call.destroy(new Error('no answer in time')));
    call.on('error', (cause) => reject(unreachable(cause, stateDir)));
    call.end(text);
  });
}

function unreachable(cause: NodeJS.ErrnoException, stateDir: string): SignerError {
  const message =
    cause.code === 'ENOENT' || cause.code === 'ECONNREFUSED'
      ? `no bridge runs on ${stateDir}; start it with "erst-hsm bridge", or name its state directory`
      : cause.code === 'EACCES' || cause.code === 'EPERM'
        ? `the bridge on ${stateDir} runs as another user; run this command as that user`
        : `the bridge on ${stateDir} did not answer (${cause.code ?? cause.message}); see its log`;
  return new SignerError('bridge-unreachable', message, { cause });
}
