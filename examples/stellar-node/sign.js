// Signs a Stellar payment, a Soroban contract call and a Soroban authorization with a key behind an erst-hsm bridge.
//
//   node examples/stellar-node/sign.js <pairing link>                  pairs for this run
//   node examples/stellar-node/sign.js <pairing link> --save <file>    and keeps the credentials
//   node examples/stellar-node/sign.js <credentials file>
//
// --key <name> chooses the key; without it, the first Ed25519 key. Nothing is sent to a network.

import { readFile, writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { Keypair } from '@stellar/stellar-sdk';
import { RemoteSigner } from 'erst-hsm';
import {
  accountId,
  buildAuthorization,
  buildContractCall,
  buildPayment,
  isSignedBy,
  signAuthorization,
  signTransaction,
} from './transactions.js';

const USAGE =
  'usage: node examples/stellar-node/sign.js <pairing link or credentials file> [--save <file>] [--key <name>]';

async function main() {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: { save: { type: 'string' }, key: { type: 'string' } },
  });
  if (positionals.length !== 1) throw new Error(USAGE);
  const credentials = await credentialsFrom(positionals[0], values.save);
  const key = values.key ?? (await firstEd25519Key(credentials));
  const signer = await RemoteSigner.connect({ ...credentials, key, algorithm: 'ed25519' });
  try {
    await signEverything(signer);
  } finally {
    await signer.close();
  }
}

/** A link is used up and gives new credentials; they are secret, so `--save` writes a file for the owner alone. */
async function credentialsFrom(source, saveTo) {
  if (!/^https?:/.test(source)) return JSON.parse(await readFile(source, 'utf8'));
  const credentials = await RemoteSigner.pair(source, { name: 'stellar-example' });
  if (saveTo !== undefined)
    await writeFile(saveTo, `${JSON.stringify(credentials)}\n`, { mode: 0o600, flag: 'wx' });
  return credentials;
}

async function firstEd25519Key(credentials) {
  const keys = await RemoteSigner.listKeys(credentials);
  const found = keys.find(({ algorithm }) => algorithm === 'ed25519');
  if (found === undefined)
    throw new Error('This client may use no Ed25519 key, and Stellar accounts need one.');
  return found.name;
}

async function signEverything(signer) {
  const { metadata } = signer.signerInfo();
  const source = accountId((await signer.publicKey()).raw);
  const destination = Keypair.random().publicKey();
  print('Key', `${metadata.key} at ${metadata.url}, ${metadata['key.tokenLabel'] ?? 'no token'}`);
  print('Account', source);

  await showTransaction(
    'Payment of 12.5 XLM',
    buildPayment({ source, destination, sequence: '4200000000' }),
    signer,
    source,
  );
  const call = buildContractCall({ source, destination, sequence: '4200000001' });
  await showTransaction('Contract call, transfer of 12.5 XLM', call, signer, source);

  const entry = await signAuthorization(buildAuthorization({ from: source, to: destination }), signer);
  heading('Authorization of that call, for another account to submit');
  print('Entry (XDR)', entry.toXDR('base64'));
}

async function showTransaction(title, transaction, signer, account) {
  const envelope = (await signTransaction(transaction, signer)).toXDR();
  if (!isSignedBy(envelope, account))
    throw new Error(`${title}: Stellar's library does not accept the signature.`);
  const [decorated] = transaction.signatures;
  heading(title);
  print('Hash', transaction.hash().toString('hex'));
  print('Signature', decorated.signature().toString('hex'));
  print('Hint', decorated.hint().toString('hex'));
  print('Verified', "by Stellar's library, from the envelope");
  print('Envelope (XDR)', envelope);
}

const heading = (text) => console.log(`\n${text}`);
const print = (name, value) => console.log(`  ${name.padEnd(15)} ${value}`);

main().catch((error) => {
  console.error(error.message);
  process.exitCode = 1;
});
