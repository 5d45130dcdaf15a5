// Real Stellar transactions, built offline with Stellar's own library, and signed by any erst-hsm Signer with an
// Ed25519 key. Stellar signs the SHA-256 of a transaction's envelope preimage, `transaction.hash()`, as the message of Ed25519.

import {
  Account,
  Address,
  Asset,
  authorizeEntry,
  BASE_FEE,
  Contract,
  hash,
  Keypair,
  Memo,
  Networks,
  nativeToScVal,
  Operation,
  SorobanDataBuilder,
  StrKey,
  TransactionBuilder,
  xdr,
} from '@stellar/stellar-sdk';

export const network = Networks.TESTNET;

/** The account id (G…) of a signer's raw Ed25519 public key, 32 bytes. */
export const accountId = (publicKey) => StrKey.encodeEd25519PublicKey(publicKey);

/** The ledger from which the authorization below is worth nothing any more. */
const VALID_UNTIL_LEDGER = 1_000_000;

/** 12.5 XLM from `source` to `destination`. `sequence` is the account's, as the network would tell it. */
export function buildPayment({ source, destination, sequence }) {
  return new TransactionBuilder(new Account(source, sequence), { fee: BASE_FEE, networkPassphrase: network })
    .addOperation(Operation.payment({ destination, asset: Asset.native(), amount: '12.5' }))
    .addMemo(Memo.text('signed by an HSM'))
    .setTimebounds(0, 0)
    .build();
}

/** The call `transfer(from, to, amount)` of the contract that wraps XLM, with the resources that a simulation would give. */
export function buildContractCall({ source, destination, sequence }) {
  return new TransactionBuilder(new Account(source, sequence), { fee: '50000', networkPassphrase: network })
    .addOperation(
      Operation.invokeContractFunction({
        ...transferCall({ from: source, to: destination }),
        auth: [
          new xdr.SorobanAuthorizationEntry({
            credentials: xdr.SorobanCredentials.sorobanCredentialsSourceAccount(),
            rootInvocation: transferInvocation({ from: source, to: destination }),
          }),
        ],
      }),
    )
    .setSorobanData(transferResources({ from: source, to: destination }))
    .setTimebounds(0, 0)
    .build();
}

/** An authorization of the same call by `from`, for a transaction that another account submits and pays for. */
export function buildAuthorization({ from, to }) {
  return new xdr.SorobanAuthorizationEntry({
    credentials: xdr.SorobanCredentials.sorobanCredentialsAddress(
      new xdr.SorobanAddressCredentials({
        address: new Address(from).toScAddress(),
        nonce: xdr.Int64.fromString('7046029254386353131'),
        signatureExpirationLedger: 0,
        signature: xdr.ScVal.scvVoid(),
      }),
    ),
    rootInvocation: transferInvocation({ from, to }),
  });
}

/**
 * Signs the transaction's hash with `signer` and attaches the signature, decorated with the key's hint. Stellar's
 * library verifies it on the way in, and refuses a wrong one.
 */
export async function signTransaction(transaction, signer) {
  const account = accountId((await signer.publicKey()).raw);
  const signature = await signer.sign(Uint8Array.from(transaction.hash()));
  transaction.addSignature(account, toBase64(signature.bytes));
  return transaction;
}

/** Signs a Soroban authorization entry: the hash of its preimage is the message. */
export function signAuthorization(entry, signer) {
  const sign = async (preimage) => {
    const signature = await signer.sign(Uint8Array.from(hash(preimage.toXDR())));
    return { signature: signature.bytes, publicKey: accountId((await signer.publicKey()).raw) };
  };
  return authorizeEntry(entry, sign, VALID_UNTIL_LEDGER, network);
}

/** Whether the envelope, read back from its XDR, carries exactly one signature and it is by `account`. */
export function isSignedBy(envelopeXdr, account) {
  const transaction = TransactionBuilder.fromXDR(envelopeXdr, network);
  const key = Keypair.fromPublicKey(account);
  const [decorated, ...others] = transaction.signatures;
  return (
    others.length === 0 &&
    decorated !== undefined &&
    decorated.hint().equals(key.signatureHint()) &&
    key.verify(transaction.hash(), decorated.signature())
  );
}

function transferCall({ from, to }) {
  return {
    contract: Asset.native().contractId(network),
    function: 'transfer',
    args: [
      new Address(from).toScVal(),
      new Address(to).toScVal(),
      nativeToScVal(125_000_000n, { type: 'i128' }),
    ],
  };
}

function transferInvocation(accounts) {
  const { contract, function: functionName, args } = transferCall(accounts);
  return new xdr.SorobanAuthorizedInvocation({
    function: xdr.SorobanAuthorizedFunction.sorobanAuthorizedFunctionTypeContractFn(
      new xdr.InvokeContractArgs({
        contractAddress: new Address(contract).toScAddress(),
        functionName,
        args,
      }),
    ),
    subInvocations: [],
  });
}

/** What the call reads and writes. Against a network, `rpc.Server.prepareTransaction` finds this out by simulation. */
function transferResources({ from, to }) {
  const contract = new Contract(Asset.native().contractId(network));
  return new SorobanDataBuilder()
    .setReadOnly([contract.getFootprint()])
    .setReadWrite([accountKey(from), accountKey(to)])
    .setResources(1_500_000, 1_000, 600)
    .setResourceFee(40_000)
    .build();
}

const accountKey = (account) =>
  xdr.LedgerKey.account(
    new xdr.LedgerKeyAccount({ accountId: Keypair.fromPublicKey(account).xdrAccountId() }),
  );

const toBase64 = (bytes) => btoa(String.fromCharCode(...bytes));
