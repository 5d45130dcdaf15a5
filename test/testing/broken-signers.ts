// Signers that are good but for one thing, made by overriding a part of a good one.

import { Signature } from '../../src/signers/signature.js';
import type { Signer, SignerInfo, SignOptions } from '../../src/signers/types.js';
import type { ConformanceTarget } from '../../src/testing/index.js';

type Sign = Signer['sign'];
type SignBatch = Signer['signBatch'];

/** A good signer, to be broken by overriding. */
export class Wrapped implements Signer {
  constructor(readonly inner: Signer) {}
  sign(data: Uint8Array, options?: SignOptions) {
    return this.inner.sign(data, options);
  }
  signBatch(messages: readonly Uint8Array[], options?: SignOptions) {
    return this.inner.signBatch(messages, options);
  }
  publicKey() {
    return this.inner.publicKey();
  }
  signerInfo(): SignerInfo {
    return this.inner.signerInfo();
  }
  close() {
    return this.inner.close();
  }
  [Symbol.asyncDispose]() {
    return this.close();
  }
}

export interface Breakage {
  rule: string;
  how: string;
  algorithm?: 'ed25519' | 'secp256k1';
  target?: Partial<ConformanceTarget>;
  broken: (inner: Signer) => Signer;
  /** What the case fails with, where it is the signer's own error and not the suite's. */
  error?: string;
}

export const withSign =
  (sign: (inner: Signer) => Sign, batch?: (inner: Signer) => SignBatch) => (inner: Signer) => {
    const wrapped = new Wrapped(inner);
    wrapped.sign = sign(inner);
    if (batch) wrapped.signBatch = batch(inner);
    return wrapped;
  };
export const withBatch = (batch: (inner: Signer) => SignBatch) => (inner: Signer) => {
  const wrapped = new Wrapped(inner);
  wrapped.signBatch = batch(inner);
  return wrapped;
};
export const withOwn = (own: (inner: Signer) => Partial<Signer>) => (inner: Signer) =>
  Object.assign(new Wrapped(inner), own(inner));
export const turn = () => new Promise((resolve) => setTimeout(resolve));

const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
const toBigInt = (bytes: Uint8Array) => bytes.reduce((value, byte) => (value << 8n) | BigInt(byte), 0n);
const toBytes = (value: bigint) => Uint8Array.from(Buffer.from(value.toString(16).padStart(64, '0'), 'hex'));

export function highS(signature: Signature): Signature {
  const { bytes } = signature;
  const s = toBytes(order - toBigInt(bytes.subarray(32)));
  return Signature.fromBytes(
    'secp256k1',
    Uint8Array.from([...bytes.subarray(0, 32), ...s]),
    signature.recovery! ^ 1,
  );
}
export const otherRecovery = ({ bytes, recovery }: Signature) =>
  Signature.fromBytes('secp256k1', bytes, recovery! ^ 1);
export const noRecovery = ({ bytes }: Signature) => Signature.fromBytes('secp256k1', bytes);
export const mapped = (change: (signature: Signature) => Signature) =>
  withSign(
    (inner) => async (data, options) => change(await inner.sign(data, options)),
    (inner) => async (messages, options) => (await inner.signBatch(messages, options)).map(change),
  );

/** The same signature value with some members replaced. */
export const like = (signature: Signature, members: object) =>
  Object.defineProperties(Object.create(signature), Object.getOwnPropertyDescriptors(members)) as Signature;
export const stable = (signature: Signature) => {
  const { bytes, algorithm, recovery } = signature;
  return {
    bytes,
    algorithm,
    recovery,
    toDer: () => signature.toDer(),
    toRecovered: () => signature.toRecovered(),
  };
};
