import { expect, onTestFinished } from 'vitest';
import { toBase64Url, utf8 } from '../../../src/bytes.js';
import type { SignerErrorCode } from '../../../src/errors.js';
import type { Request } from '../../../src/protocol/messages.js';
import {
  type RemoteConnectOptions,
  type RemoteCredentials,
  RemoteSigner,
} from '../../../src/signers/remote/remote.node.js';
import { SoftwareSigner } from '../../../src/signers/software.js';
import { ScriptedBridge, type ScriptedBridgeOptions } from './scripted-bridge.js';

export const ed25519 = (await SoftwareSigner.generate('ed25519')).signer;
export const secp256k1 = (await SoftwareSigner.generate('secp256k1')).signer;
export const keys = { ed: ed25519, secp: secp256k1 };
export const message = utf8('a message');
export const edSpki = toBase64Url((await ed25519.publicKey()).spki);

export async function start(options: ScriptedBridgeOptions = {}): Promise<ScriptedBridge> {
  const bridge = await ScriptedBridge.start({ keys, ...options });
  onTestFinished(() => bridge.close());
  return bridge;
}

export const credentialsFor = (bridge: ScriptedBridge): RemoteCredentials => ({
  url: bridge.url,
  bridgeKey: bridge.bridgeKey,
  identity: toBase64Url(new Uint8Array(32).fill(5)),
});

export async function connect(
  bridge: ScriptedBridge,
  options: Partial<RemoteConnectOptions> = {},
): Promise<RemoteSigner> {
  const signer = await RemoteSigner.connect({ ...credentialsFor(bridge), key: 'ed', ...options });
  onTestFinished(() => signer.close());
  return signer;
}

/** Holds requests back until the test lets them go. */
export function hold() {
  const held: Request[] = [];
  const onRequest = (request: Request) => {
    held.push(request);
    return true;
  };
  const arrived = async (count: number) => {
    while (held.length < count) await new Promise((resolve) => setImmediate(resolve));
  };
  return { held, onRequest, arrived };
}

export const coded = (code: SignerErrorCode) => expect.objectContaining({ code });
