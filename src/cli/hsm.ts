// `erst-hsm hsm slots|keys|keygen`: what a PKCS#11 module shows, and keys made on a token.

import { randomBytes } from 'node:crypto';
import { Command, InvalidArgumentError, Option } from 'commander';
import { bytesToHex, utf8 } from '../bytes.js';
import { configFromEnv, type Pkcs11Config } from '../signers/config/config.js';
import type { KeyIdentity, KeySummary, TokenConnection, TokenSummary } from '../signers/pkcs11/engine.js';
import { InProcessEngine } from '../signers/pkcs11/in-process-engine.js';
import { PinSource } from '../signers/pkcs11/pin.js';
import { selectToken } from '../signers/pkcs11/select-token.js';
import { type Selection, selectionOf } from '../signers/pkcs11/selection.js';
import { tokenInput, verifiedSignature } from '../signers/pkcs11/token-signature.js';
import { PublicKey } from '../signers/public-key.js';
import type { Algorithm } from '../signers/types.js';
import { withExamples } from './help.js';
import { note, printJson, printRaw, printTable } from './output.js';

interface ModuleOptions {
  module?: string;
  json?: true;
}

interface TokenOptions extends ModuleOptions {
  tokenLabel?: string;
  slot?: string;
}

interface KeygenOptions extends TokenOptions {
  algorithm: Algorithm;
  label: string;
  id?: string;
}

const SOFTHSM = '/usr/lib/softhsm/libsofthsm2.so';

/** The command `hsm` with its subcommands, for a program to add. */
export function hsmCommand(): Command {
  const command = new Command('hsm')
    .description('show what a PKCS#11 module has, and make keys on a token')
    .addCommand(slotsCommand())
    .addCommand(keysCommand())
    .addCommand(keygenCommand());
  return withExamples(command, [
    ['which tokens there are', `erst-hsm hsm slots --module ${SOFTHSM}`],
    [
      'the keys of one; the PIN is never an argument',
      'ERST_PKCS11_PIN_FILE=pin erst-hsm hsm keys --token-label mytoken',
    ],
  ]);
}

function slotsCommand(): Command {
  const command = withModule(new Command('slots').description('list the slots that hold a token')).action(
    slots,
  );
  return withExamples(command, [['tokens of SoftHSM', `erst-hsm hsm slots --module ${SOFTHSM}`]]);
}

function keysCommand(): Command {
  const command = withToken(new Command('keys').description('list the keys on a token')).action(keys);
  return withExamples(command, [
    [
      'keys of one token',
      `ERST_PKCS11_MODULE=${SOFTHSM} ERST_PKCS11_PIN_FILE=pin erst-hsm hsm keys --token-label mytoken`,
    ],
  ]);
}

function keygenCommand(): Command {
  const command = withToken(new Command('keygen').description('make a key on a token; it never leaves it'))
    .addOption(
      new Option('-a, --algorithm <algorithm>', 'what the key is for')
        .choices(['ed25519', 'secp256k1', 'p256'])
        .default('ed25519'),
    )
    .requiredOption('-l, --label <label>', 'name of the key (CKA_LABEL)')
    .option('--id <hex>', 'CKA_ID; without it, 8 random bytes', parseId)
    .action(keygen);
  return withExamples(command, [
    [
      'a key for Bitcoin or Ethereum',
      'ERST_PKCS11_PIN_FILE=pin erst-hsm hsm keygen --token-label mytoken --algorithm secp256k1 --label treasury > public.pem',
    ],
  ]);
}

function withModule(command: Command): Command {
  return command
    .addOption(new Option('-m, --module <path>', 'PKCS#11 module').env('ERST_PKCS11_MODULE'))
    .option('--json', 'print JSON');
}

function withToken(command: Command): Command {
  return withModule(command)
    .option('-t, --token-label <label>', 'token by its label (default: ERST_PKCS11_TOKEN_LABEL)')
    .option(
      '-s, --slot <position>',
      'token by its position in `hsm slots` (default: ERST_PKCS11_SLOT)',
      checkPosition,
    );
}

function checkPosition(text: string): string {
  if (/^\d{1,9}$/.test(text)) return text;
  throw new InvalidArgumentError('It must be a position in the list of `erst-hsm hsm slots`.');
}

function parseId(text: string): string {
  if (!/^(?:[0-9a-f]{2})+$/i.test(text))
    throw new InvalidArgumentError('It must be hex, two digits a byte, e.g. 01.');
  return text.toLowerCase();
}

async function slots(options: ModuleOptions): Promise<void> {
  const tokens = await withEngine(selectionOf(configOf(options)), (engine) => engine.listTokens());
  if (options.json) return printJson(tokens.map(tokenToJson));
  if (tokens.length === 0) note('No slot holds a token. For a smart card, see that pcscd is running.');
  printTable(
    ['SLOT', 'LABEL', 'MODEL', 'SERIAL', 'MANUFACTURER', 'MECHANISMS'],
    tokens.map((token) => [
      String(token.slotIndex),
      token.initialized ? token.label : '(not initialized)',
      token.model,
      token.serial,
      token.manufacturer,
      token.mechanisms.map((name) => `CKM_${name}`).join(' '),
    ]),
  );
}

function tokenToJson(token: TokenSummary) {
  const { slotHandle: _, slotId, mechanisms, ...shown } = token;
  return { ...shown, slotId: String(slotId), mechanisms: mechanisms.map((name) => `CKM_${name}`) };
}

async function keys(options: TokenOptions): Promise<void> {
  const { shown, loggedIn } = await withConnection(options, 'if-given', async (connection, _, loggedIn) => ({
    shown: await describeKeys(connection),
    loggedIn,
  }));
  if (!loggedIn) note('Without a PIN, public keys only: set ERST_PKCS11_PIN_FILE to see private keys.');
  if (options.json) return printJson(shown);
  printTable(
    ['LABEL', 'ID', 'ALGORITHM', 'SIGNS', 'PUBLIC KEY'],
    shown.map((key) => [key.label, key.id, key.algorithm, key.signs, key.publicKey]),
  );
}

interface ShownKey {
  label: string;
  id: string;
  algorithm: Algorithm | 'other';
  /** `pin-each-time`: CKA_ALWAYS_AUTHENTICATE. `no`: a public key without its private key, or one that may not sign. */
  signs: 'yes' | 'pin-each-time' | 'no';
  /** Raw, in hex; empty where the token does not hold it. */
  publicKey: string;
}

async function describeKeys(connection: TokenConnection): Promise<ShownKey[]> {
  const privateKeys = await connection.privateKeys();
  const names = new Set(privateKeys.map(nameOf));
  const publicOnly = (await connection.publicKeys()).filter((key) => !names.has(nameOf(key)));
  const shown: ShownKey[] = [];
  for (const key of [...privateKeys, ...publicOnly]) {
    shown.push({
      label: key.label,
      id: key.idHex,
      algorithm: key.algorithm ?? 'other',
      signs: !key.canSign || !key.algorithm ? 'no' : key.alwaysAuthenticate ? 'pin-each-time' : 'yes',
      publicKey: key.algorithm ? await publicHex(connection, { ...key, algorithm: key.algorithm }) : '',
    });
  }
  // Tokens list their objects in no order.
  return shown.sort(
    (a, b) => compare(a.label, b.label) || compare(a.id, b.id) || compare(a.algorithm, b.algorithm),
  );
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

const nameOf = ({ idHex, algorithm, label }: KeySummary) => JSON.stringify([idHex || label, algorithm]);

async function publicHex(connection: TokenConnection, key: KeyIdentity): Promise<string> {
  const point = await connection.publicPoint(key);
  return point ? bytesToHex(PublicKey.fromRaw(key.algorithm, point).raw) : '';
}

async function keygen(options: KeygenOptions): Promise<void> {
  const { algorithm, label, id: idHex = bytesToHex(randomBytes(8)) } = options;
  const key: KeyIdentity = { algorithm, label, idHex };
  const { publicKey, token } = await withConnection(options, 'needed', async (connection, token) => {
    await connection.generateKeyPair(key);
    return { publicKey: await checkedPublicKey(connection, key), token };
  });
  if (options.json) {
    return printJson({
      algorithm,
      label,
      id: idHex,
      publicKey: bytesToHex(publicKey.raw),
      publicKeyPem: publicKey.toPem(),
    });
  }
  note(`${algorithm} key "${label}" (id ${idHex}) made on token "${token.label}"; its public key:`);
  printRaw(publicKey.toPem());
}

/** A list of mechanisms cannot show curves: only a signature shows that the key works. */
async function checkedPublicKey(connection: TokenConnection, key: KeyIdentity): Promise<PublicKey> {
  const publicKey = PublicKey.fromRaw(key.algorithm, (await connection.publicPoint(key))!);
  const signed = tokenInput(key.algorithm, utf8('erst-hsm hsm keygen: check of a new key'), false);
  await verifiedSignature(publicKey, signed, await connection.sign({ key, input: signed.input }));
  return publicKey;
}

/** Settings of the environment, with those of the command line in their place. */
function configOf({ module, tokenLabel, slot }: TokenOptions): Pkcs11Config {
  const { ERST_PKCS11_TOKEN_LABEL, ERST_PKCS11_SLOT, ...environment } = process.env;
  const token =
    tokenLabel === undefined && slot === undefined
      ? { ERST_PKCS11_TOKEN_LABEL, ERST_PKCS11_SLOT }
      : { ERST_PKCS11_TOKEN_LABEL: tokenLabel, ERST_PKCS11_SLOT: slot };
  const settings = { ...environment, ...token, ERST_PKCS11_MODULE: module, ERST_SIGNER_TYPE: 'pkcs11' };
  return configFromEnv(settings).pkcs11 ?? {};
}

async function withConnection<T>(
  options: TokenOptions,
  login: 'needed' | 'if-given',
  use: (connection: TokenConnection, token: TokenSummary, loggedIn: boolean) => Promise<T>,
): Promise<T> {
  const selection = selectionOf(configOf(options));
  return withEngine(selection, async (engine) => {
    const token = selectToken(await engine.listTokens(), selection.token);
    const connection = await engine.connect(token);
    try {
      const pin = await new PinSource(selection.pin).read();
      const loggedIn = pin !== undefined || !token.loginRequired;
      if (login === 'needed' || pin !== undefined) await connection.login(pin);
      return await use(connection, token, loggedIn);
    } finally {
      await connection.close();
    }
  });
}

async function withEngine<T>(selection: Selection, use: (engine: InProcessEngine) => Promise<T>): Promise<T> {
  const engine = await InProcessEngine.acquire(selection.modulePath);
  try {
    return await use(engine);
  } finally {
    await engine.release();
  }
}
