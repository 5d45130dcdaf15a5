// A page of your own that signs with a key behind a bridge: pairing, keeping the pairing, and signing Stellar transactions.

import { Keypair } from '@stellar/stellar-sdk';
import { CredentialStore, RemoteSigner } from 'erst-hsm';
import {
  accountId,
  buildAuthorization,
  buildContractCall,
  buildPayment,
  isSignedBy,
  signAuthorization,
  signTransaction,
} from '../stellar-node/transactions.js';

const byId = (id) => document.getElementById(id);
const store = await CredentialStore.open();

byId('pair').addEventListener('submit', onSubmit(pair));
byId('sign').addEventListener('submit', onSubmit(sign));
byId('forget').addEventListener('click', onSubmit(forget));
await onSubmit(showKeys)();

async function pair() {
  const link = byId('link').value;
  byId('link').value = '';
  await store.save(await RemoteSigner.pair(link, { name: 'stellar-page' }));
  await showKeys();
}

async function forget() {
  const { url } = (await store.list())[0];
  await store.remove(url);
  await showKeys();
}

/** The Ed25519 keys of the bridge that this browser is paired with, or the form that pairs. */
async function showKeys() {
  const [credentials] = await store.list();
  byId('key').replaceChildren();
  try {
    const keys = credentials === undefined ? [] : await RemoteSigner.listKeys(credentials);
    const usable = keys.filter(({ algorithm }) => algorithm === 'ed25519');
    byId('key').replaceChildren(...usable.map(({ name }) => new Option(name)));
  } finally {
    byId('pair').hidden = credentials !== undefined;
    byId('sign').hidden = credentials === undefined;
  }
}

async function sign() {
  const [credentials] = await store.list();
  const signer = await RemoteSigner.connect({ ...credentials, key: byId('key').value, algorithm: 'ed25519' });
  try {
    await signEverything(signer);
  } finally {
    await signer.close();
  }
}

async function signEverything(signer) {
  byId('results').replaceChildren();
  const source = accountId((await signer.publicKey()).raw);
  const destination = Keypair.random().publicKey();
  show('Account', { Address: source });

  const payment = buildPayment({ source, destination, sequence: '4200000000' });
  show('Payment of 12.5 XLM', await signed(payment, signer, source));
  const call = buildContractCall({ source, destination, sequence: '4200000001' });
  show('Contract call, transfer of 12.5 XLM', await signed(call, signer, source));

  const entry = await signAuthorization(buildAuthorization({ from: source, to: destination }), signer);
  show('Authorization of that call', { Entry: entry.toXDR('base64') });
}

async function signed(transaction, signer, account) {
  const envelope = (await signTransaction(transaction, signer)).toXDR();
  if (!isSignedBy(envelope, account)) throw new Error("Stellar's library does not accept the signature.");
  const [decorated] = transaction.signatures;
  return {
    Hash: transaction.hash().toString('hex'),
    Signature: decorated.signature().toString('hex'),
    Hint: decorated.hint().toString('hex'),
    Verified: "by Stellar's library, from the envelope",
    Envelope: envelope,
  };
}

function show(title, facts) {
  const heading = document.createElement('h2');
  heading.textContent = title;
  const list = document.createElement('dl');
  for (const [name, value] of Object.entries(facts)) {
    const term = document.createElement('dt');
    term.textContent = name;
    const description = document.createElement('dd');
    description.textContent = value;
    list.append(term, description);
  }
  byId('results').append(heading, list);
}

/** Runs `work` in place of what a form does, and shows why it failed. */
function onSubmit(work) {
  return async (event) => {
    event?.preventDefault();
    byId('problem').textContent = '';
    try {
      await work();
    } catch (error) {
      byId('problem').textContent = error.message;
    }
  };
}
