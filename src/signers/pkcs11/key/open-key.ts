// From a selection to a key that is ready to sign: token, login, key, public key, test signature.

import { Pkcs11Error } from '../../../errors.js';
import { PublicKey } from '../../public-key.js';
import type { Pkcs11Engine, TokenConnection } from '../engine/engine.js';
import { mechanismOf, type TokenSummary } from '../engine/hosted-module.js';
import { acquireEngine } from '../engine/module-engine.js';
import { whilePassing } from '../engine/passing-state.js';
import { PinSource } from '../pin/pin-source.js';
import { type SelectedKey, selectKey } from '../selection/select-key.js';
import { selectToken } from '../selection/select-token.js';
import type { Selection } from '../selection/selection.js';
import { attestationOf } from './attestation.js';
import { describeKey } from './key-metadata.js';
import { keyWithoutLogin } from './key-without-login.js';
import { OpenedKey } from './opened-key.js';
import { probeKey } from './probe.js';
import { RememberedPin } from './remembered-pin.js';

/** Opens the key that `selection` names; `expected` is the public key that it must have. `signal` gives it up. */
export async function openKey(
  selection: Selection,
  expected: PublicKey | undefined,
  signal?: AbortSignal,
): Promise<OpenedKey> {
  const pin = new RememberedPin(new PinSource(selection.pin));
  const engine = await acquireEngine(selection.modulePath, selection.engine);
  const giveUp = () => void engine.release(); // ends what hangs, where nobody else uses the module
  signal?.addEventListener('abort', giveUp);
  try {
    signal?.throwIfAborted();
    return await whilePassing(engine, () => attempt(engine, selection, expected, pin));
  } catch (error) {
    await engine.release();
    pin.forget();
    throw error;
  } finally {
    signal?.removeEventListener('abort', giveUp);
  }
}

async function attempt(
  engine: Pkcs11Engine,
  selection: Selection,
  expected: PublicKey | undefined,
  pin: RememberedPin,
): Promise<OpenedKey> {
  const token = selectToken(await engine.listTokens(), selection.token);
  const connection = await engine.connect(token, pin);
  try {
    const key =
      (await keyWithoutLogin(connection, token, selection, expected)) ??
      (await keyBehindLogin(connection, token, selection));
    const publicKey = await readPublicKey(connection, key, expected);
    if (key.alwaysAuthenticate) await expectPin(key, pin);
    if (selection.probe) {
      await probeKey(connection, key, publicKey, key.alwaysAuthenticate ? await pin.read() : undefined);
    }
    if (!key.alwaysAuthenticate) pin.stopRemembering();
    const { alwaysAuthenticate } = key;
    const { attestationRootPem } = selection;
    const attests = await attestationIn(connection, key, publicKey, attestationRootPem);
    const info = describeKey(engine.modulePath, token, key, attests);
    return new OpenedKey({
      engine,
      connection,
      pin,
      key,
      alwaysAuthenticate,
      publicKey,
      info,
      attestationRootPem,
    });
  } catch (error) {
    await connection.close();
    throw error;
  }
}

async function keyBehindLogin(
  connection: TokenConnection,
  token: TokenSummary,
  selection: Selection,
): Promise<SelectedKey> {
  await connection.login();
  return chooseKey(connection, token, selection);
}

async function chooseKey(
  connection: TokenConnection,
  token: TokenSummary,
  { key: filter, algorithm }: Selection,
): Promise<SelectedKey> {
  const candidates = await connection.keys('private', filter);
  const all = candidates.length === 0 ? await connection.keys('private') : candidates;
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
  key: SelectedKey,
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

async function expectPin(key: SelectedKey, pin: RememberedPin): Promise<void> {
  if ((await pin.read()) !== undefined) return;
  throw new Pkcs11Error(
    'pin-missing',
    `Key "${key.label}" wants the PIN at every signature. Set ERST_PKCS11_PIN_FILE`,
  );
}

/** `verified`, `not-checked`, `failed` or `none`. Where a root was given, everything but `verified` is an error. */
async function attestationIn(
  connection: TokenConnection,
  key: SelectedKey,
  publicKey: PublicKey,
  rootPem: string | undefined,
): Promise<string> {
  const attestation = await attestationOf(connection, key, publicKey, rootPem);
  if (rootPem === undefined || attestation?.verdict === 'verified') return attestation?.verdict ?? 'none';
  throw new Pkcs11Error(
    'key-mismatch',
    `Key "${key.label}" is not vouched for as ERST_PKCS11_ATTESTATION_ROOT_PEM demands: ` +
      `${attestation?.reason ?? 'the token makes no statement on it'}. See erst-hsm hsm attest`,
  );
}
