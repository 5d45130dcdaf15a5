// Every operation on secrets that the curves offer, through the public functions. The message changes with the secret,
// its length does not: neither may show in a trace of signing.

import { arbitrary, ed25519Keys, ed25519Scalars, secp256k1Scalars, secp256k1Seeds } from './secrets.mjs';

const EXPANSION_BYTES = 96;

/** A message of this length that goes with a secret. */
function messageFor(secret, length = 32) {
  const message = new Uint8Array(length).fill(secret[0] ^ secret[31]);
  message.set(arbitrary(secret.join(), 'message').subarray(0, length));
  return message;
}

const batchFor = (secret, size) =>
  Array.from({ length: size }, (_, i) => messageFor(Uint8Array.of(...secret.subarray(0, 31), i)));

/** Calls with another secret scalar in the prepared key than any secret key leads to. */
function withScalar(trace, scalar, call) {
  const { ed25519 } = trace.curves;
  const prepared = ed25519.prepare(arbitrary(0, 'prepared'));
  const rest = arbitrary(scalar.join(), 'prefix');
  trace.beforeEachCall = ({ memory, PREPARED_KEY }) => {
    const expansion = new Uint8Array(memory.buffer, PREPARED_KEY.value, EXPANSION_BYTES);
    expansion.set(scalar);
    expansion.set(rest, 32);
  };
  return call(prepared);
}

/** Calls with a nonce in place of the first that RFC 6979 gives: debug build only. */
function withNonce(trace, nonce, call) {
  trace.beforeEachCall = ({ memory, FORCED_NONCES }) => {
    const forced = new Uint8Array(memory.buffer, FORCED_NONCES.value, 40);
    forced[0] = 1;
    forced.set(nonce, 8);
  };
  return call();
}

const POINT_BYTES = 256; // as much as a point takes, and more

/** The base point times a scalar, which is a nonce in signing: debug build only. */
function multiplyBase({ curves }, scalar) {
  curves.withCurves(({ run }) => {
    const at = run.MESSAGE.value;
    new Uint8Array(run.memory.buffer).set(scalar, at);
    run.ed25519MultiplyBase(at + 64, at, at + 128);
    new Uint8Array(run.memory.buffer, at, 128 + POINT_BYTES).fill(0);
  });
}

const ed25519 = [
  {
    name: 'Ed25519 public key',
    secrets: ed25519Keys,
    call: ({ curves }, key) => curves.ed25519.getPublicKey(key),
  },
  { name: 'Ed25519 prepare', secrets: ed25519Keys, call: ({ curves }, key) => curves.ed25519.prepare(key) },
  {
    name: 'Ed25519 sign',
    secrets: ed25519Keys,
    call: ({ curves }, key, length) => curves.ed25519.sign(messageFor(key, length), key),
  },
  {
    name: 'Ed25519 sign, prepared',
    secrets: ed25519Keys,
    call: ({ curves }, key, length) => curves.ed25519.prepare(key).sign(messageFor(key, length)),
  },
  {
    name: 'Ed25519 sign, prepared with edge scalars',
    secrets: ed25519Scalars,
    call: (trace, scalar) => withScalar(trace, scalar, (prepared) => prepared.sign(messageFor(scalar))),
  },
  {
    name: 'Ed25519 sign, batch of 5',
    secrets: ed25519Keys,
    call: ({ curves }, key) => curves.ed25519.prepare(key).signBatch(batchFor(key, 5)),
  },
  {
    name: 'Ed25519 sign, batch of 5 with edge scalars',
    secrets: ed25519Scalars,
    call: (trace, scalar) => withScalar(trace, scalar, (prepared) => prepared.signBatch(batchFor(scalar, 5))),
  },
  {
    name: 'Ed25519 base point times edge scalars',
    secrets: ed25519Scalars,
    debugOnly: true,
    call: multiplyBase,
  },
];

const secp256k1 = [
  {
    name: 'secp256k1 public key',
    secrets: secp256k1Scalars,
    call: ({ curves }, key) => curves.secp256k1.getPublicKey(key),
  },
  {
    name: 'secp256k1 public key, uncompressed',
    secrets: secp256k1Scalars,
    call: ({ curves }, key) => curves.secp256k1.getPublicKey(key, false),
  },
  {
    name: 'secp256k1 prepare',
    secrets: secp256k1Scalars,
    call: ({ curves }, key) => curves.secp256k1.prepare(key),
  },
  {
    name: 'secp256k1 validity of a key',
    secrets: secp256k1Scalars,
    call: ({ curves }, key) => curves.secp256k1.utils.isValidSecretKey(key),
  },
  {
    name: 'secp256k1 key from a seed',
    secrets: secp256k1Seeds,
    call: ({ curves }, seed) => curves.secp256k1.keygen(seed),
  },
  {
    name: 'ECDSA sign',
    secrets: secp256k1Scalars,
    call: ({ curves }, key, length) => curves.secp256k1.sign(messageFor(key, length), key),
  },
  {
    name: 'ECDSA sign, any s',
    secrets: secp256k1Scalars,
    call: ({ curves }, key) => curves.secp256k1.sign(messageFor(key), key, { lowS: false }),
  },
  {
    name: 'ECDSA sign, a digest, with recovery id',
    secrets: secp256k1Scalars,
    call: ({ curves }, key) =>
      curves.secp256k1.sign(messageFor(key), key, { prehash: false, format: 'recovered' }),
  },
  {
    name: 'ECDSA sign, extra entropy',
    secrets: secp256k1Scalars,
    call: ({ curves }, key) =>
      curves.secp256k1.sign(messageFor(key), key, { extraEntropy: arbitrary(key.join(), 'entropy') }),
  },
  {
    name: 'ECDSA sign, prepared',
    secrets: secp256k1Scalars,
    call: ({ curves }, key) => curves.secp256k1.prepare(key).sign(messageFor(key)),
  },
  {
    name: 'ECDSA sign, batch of 5',
    secrets: secp256k1Scalars,
    call: ({ curves }, key) => curves.secp256k1.prepare(key).signBatch(batchFor(key, 5)),
  },
  {
    name: 'ECDSA sign, batch of 14',
    secrets: secp256k1Scalars,
    call: ({ curves }, key) => curves.secp256k1.prepare(key).signBatch(batchFor(key, 14)),
  },
  {
    name: 'ECDSA sign, batch of 33',
    secrets: secp256k1Scalars,
    call: ({ curves }, key) => curves.secp256k1.prepare(key).signBatch(batchFor(key, 33)),
  },
  {
    name: 'ECDSA sign, batch of 4 with an edge nonce',
    secrets: secp256k1Scalars,
    debugOnly: true,
    call: (trace, nonce) => {
      const prepared = trace.curves.secp256k1.prepare(arbitrary(nonce.join(), 'key'));
      return withNonce(trace, nonce, () => prepared.signBatch(batchFor(nonce, 4)));
    },
  },
  {
    name: 'ECDSA sign, edge nonces',
    secrets: secp256k1Scalars,
    debugOnly: true,
    call: (trace, nonce) => {
      const key = arbitrary(nonce.join(), 'key');
      return withNonce(trace, nonce, () => trace.curves.secp256k1.sign(messageFor(nonce), key));
    },
  },
];

const schnorr = [
  {
    name: 'Schnorr public key',
    secrets: secp256k1Scalars,
    call: ({ curves }, key) => curves.schnorr.getPublicKey(key),
  },
  {
    name: 'Schnorr sign',
    secrets: secp256k1Scalars,
    call: ({ curves }, key, length) =>
      curves.schnorr.sign(messageFor(key, length), key, arbitrary(key.join(), 'aux')),
  },
  {
    name: 'Schnorr prepare',
    secrets: secp256k1Scalars,
    call: ({ curves }, key) => curves.schnorr.prepare(key),
  },
  {
    name: 'Schnorr sign, prepared',
    secrets: secp256k1Scalars,
    call: ({ curves }, key) =>
      curves.schnorr.prepare(key).sign(messageFor(key), arbitrary(key.join(), 'aux')),
  },
  {
    name: 'Schnorr sign, batch of 5',
    secrets: secp256k1Scalars,
    call: ({ curves }, key) =>
      curves.schnorr.prepare(key).signBatch(batchFor(key, 5), arbitrary(key.join(), 'aux')),
  },
];

/** Operations on what is public: they are meant to differ, and so show that a trace tells things apart. */
export const variableTime = [
  {
    name: 'Ed25519 verify',
    secrets: ed25519Keys,
    call: ({ plain, curves }, key) => {
      const [message, publicKey] = [messageFor(key), plain.ed25519.getPublicKey(key)];
      return curves.ed25519.verify(plain.ed25519.sign(message, key), message, publicKey);
    },
  },
  {
    name: 'ECDSA verify',
    secrets: secp256k1Scalars,
    call: ({ plain, curves }, key) => {
      const [message, publicKey] = [messageFor(key), plain.secp256k1.getPublicKey(key)];
      return curves.secp256k1.verify(plain.secp256k1.sign(message, key), message, publicKey);
    },
  },
];

export const operations = [...ed25519, ...secp256k1, ...schnorr];
