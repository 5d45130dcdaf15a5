// From a configuration to a key that is ready to sign: token, login, key, public key.

import { setTimeout as delay } from 'node:timers/promises';
import { Pkcs11Error } from '../../errors.js';
import { PublicKey } from '../public-key.js';
import type { SignerInfo } from '../types.js';
import { CKR } from './constants.js';
import { mechanismOf, type Pkcs11Engine, type TokenConnection, type TokenSummary } from './engine.js';
import { PinSource } from './pin.js';
import { type SigningKey, selectKey } from './select-key.js';
import { selectToken } from './select-token.js';
import type { Selection } from './selection.js';

/** Waits between the attempts to open a key while the token is in a passing state. */
const RETRY_DELAYS_MS = [50, 100, 200];

export interface OpenedKey {
  engine: Pkcs11Engine;
  connection: TokenConnection;
  key: SigningKey;
  publicKey: PublicKey;
  info: SignerInfo;
  pinSource: PinSource;
  /** The PIN, for a key that wants it at every signature. */
  contextPin: string | undefined;
}

interface Pin {
  source: PinSource;
  /** Reads it once, however many attempts there are. */
  value(): Promise<string | undefined>;
}

/** Opens the key that `selection` names; `expected` is the public key that it must have. */
export async function openKey(
  engine: Pkcs11Engine,
  selection: Selection,
  expected: PublicKey | undefined,
): Promise<OpenedKey> {
  const pin = pinOf(selection);
  for (const delayMs of RETRY_DELAYS_MS) {
    try {
      return await attempt(engine, selection, expected, pin);
    } catch (error) {
      if (!isPassing(error)) throw error;
      await delay(delayMs);
      await engine.restart();
    }
  }
  return attempt(engine, selection, expected, pin);
}

/**
 * Whether `error` may be gone in a moment: while one process logs in, SoftHSM shows others no token, or none that it
 * can read. Never for a failed login, whose PIN must not be tried again.
 */
function isPassing(error: unknown): boolean {
  if (!(error instanceof Pkcs11Error)) return false;
  if (error.code === 'token-not-found') return true;
  return error.ckrCode === CKR.CKR_GENERAL_ERROR && error.functionName !== 'C_Login';
}

function pinOf(selection: Selection): Pin {
  const source = new PinSource(selection.pin);
  let value: Promise<string | undefined> | undefined;
  return {
    source,
    value() {
      value ??= source.read();
      return value;
    },
  };
}

async function attempt(
  engine: Pkcs11Engine,
  selection: Selection,
  expected: PublicKey | undefined,
  pin: Pin,
): Promise<OpenedKey> {
  const token = selectToken(await engine.listTokens(), selection.token);
  const connection = await engine.connect(token);
  try {
    const value = await pin.value();
    await connection.login(value);
    const key = await chooseKey(connection, token, selection);
    const publicKey = await readPublicKey(connection, key, expected);
    const contextPin = key.alwaysAuthenticate ? pinForEverySignature(key, value) : undefined;
    const info = describe(engine, token, key);
    return { engine, connection, key, publicKey, info, pinSource: pin.source, contextPin };
  } catch (error) {
    await connection.close();
    throw error;
  }
}

async function chooseKey(
  connection: TokenConnection,
  token: TokenSummary,
  { key: filter, algorithm }: Selection,
): Promise<SigningKey> {
  const candidates = await connection.privateKeys(filter);
  const all = candidates.length === 0 ? await connection.privateKeys() : candidates;
  const key = selectKey(candidates, all, filter, algorithm);
  const mechanism = mechanismOf[key.algorithm];
  if (!token.mechanisms.includes(mechanism)) {
    throw new Pkcs11Error(
      'mechanism-unsupported',
      `Token "${token.label}" cannot sign with ${key.algorithm} (no CKM_${mechanism}): use another key or token`,
    );
  }
  return key;
}

/** The token's public key, which must be `expected`; `expected` itself where the token holds none. */
async function readPublicKey(
  connection: TokenConnection,
  key: SigningKey,
  expected: PublicKey | undefined,
): Promise<PublicKey> {
  const point = await connection.publicPoint(key);
  const publicKey = point ? PublicKey.fromRaw(key.algorithm, point) : expected;
  if (publicKey === undefined) {
    throw new Pkcs11Error(
      'key-not-found',
      `The token has key "${key.label}" (id ${key.idHex || 'none'}), but neither its public key nor a certificate with ` +
        'its id. Put one there, or give it as ERST_PKCS11_PUBLIC_KEY_PEM',
    );
  }
  if (expected && !(expected.algorithm === key.algorithm && expected.equals(publicKey))) {
    throw new Pkcs11Error(
      'key-mismatch',
      `Key "${key.label}" on the token is not the one in ERST_PKCS11_PUBLIC_KEY_PEM: choose the right key, or the ` +
        'right PEM (erst-hsm pubkey shows the key)',
    );
  }
  return publicKey;
}

function pinForEverySignature(key: SigningKey, pin: string | undefined): string {
  if (pin !== undefined) return pin;
  throw new Pkcs11Error(
    'pin-missing',
    `Key "${key.label}" wants the PIN at every signature. Set ERST_PKCS11_PIN_FILE`,
  );
}

function describe(engine: Pkcs11Engine, token: TokenSummary, key: SigningKey): SignerInfo {
  const { manufacturer, model, serial, label: tokenLabel } = token;
  const { algorithm, label: keyLabel, idHex: keyId } = key;
  const mechanism = `CKM_${mechanismOf[algorithm]}`;
  const module = engine.modulePath;
  const metadata = { manufacturer, model, serial, tokenLabel, keyLabel, keyId, mechanism, module };
  return { signerType: 'pkcs11', algorithm, metadata };
}
