// The one door to the compiled curves: instantiates the module at the first call, copies arguments in, calls, copies
// results out and wipes. Synchronous throughout, so no two calls interleave.
//
// Invariant: between calls the memory holds no secret. Everything that can hold one lies in the ranges SECRETS, MESSAGE
// and BATCH_SECRETS (assembly/memory.ts), which are wiped after every call, also after a failure or a trap; the last, which
// is large, after those that said that they use it.

import base64 from '#curves-wasm';
import { lengthOf } from './arguments.js';

/** What assembly/index.ts exports. Functions take lengths, indices and flags, and return a status. */
export interface CurvesExports {
  readonly memory: WebAssembly.Memory;
  readonly MESSAGE: WebAssembly.Global<'i32'>;
  readonly MESSAGE_BYTES: WebAssembly.Global<'i32'>;
  readonly SECRETS: WebAssembly.Global<'i32'>;
  readonly SECRETS_BYTES: WebAssembly.Global<'i32'>;
  readonly BATCH_SECRETS: WebAssembly.Global<'i32'>;
  readonly BATCH_SECRETS_BYTES: WebAssembly.Global<'i32'>;
  readonly BATCH_SIGNATURES: WebAssembly.Global<'i32'>;
  readonly SECRET_KEY: WebAssembly.Global<'i32'>;
  readonly PUBLIC_KEY: WebAssembly.Global<'i32'>;
  readonly SIGNATURE: WebAssembly.Global<'i32'>;
  readonly EXTRA: WebAssembly.Global<'i32'>;
  readonly PREPARED_KEY: WebAssembly.Global<'i32'>;

  readonly ED25519_BATCH: WebAssembly.Global<'i32'>;
  ed25519Prepare(): void;
  ed25519Absorb(length: number): void;
  ed25519SignStart(): void;
  ed25519SignCommit(): void;
  ed25519SignFinish(): void;
  ed25519SignTogetherStart(): void;
  ed25519SignTogetherAdd(length: number): number;
  ed25519SignTogetherFinish(): void;
  ed25519VerifyStart(): void;
  ed25519VerifyFinish(zip215: number): number;
  ed25519IsPublicKey(zip215: number): number;
  ed25519BatchStart(): void;
  ed25519BatchAdd(zip215: number): number;
  ed25519BatchFinish(): number;

  readonly DIGEST: WebAssembly.Global<'i32'>;
  readonly SEED: WebAssembly.Global<'i32'>;
  secp256k1SecretFromSeed(): void;
  secp256k1Prepare(): number;
  secp256k1PublicKey(compressed: number): number;
  secp256k1ConvertPublicKey(length: number, compressed: number): number;
  secp256k1HashStart(): void;
  secp256k1Absorb(length: number): void;
  secp256k1HashFinish(): void;
  secp256k1Sign(lowS: number, hedged: number): void;
  secp256k1BatchAdd(index: number, hedged: number): void;
  secp256k1BatchSign(count: number, lowS: number): void;
  secp256k1Verify(publicKeyLength: number, lowS: number, recovered: number): number;
  secp256k1Recover(): number;

  schnorrPrepare(): number;
  schnorrSignStart(): void;
  schnorrSignCommit(): number;
  schnorrSignFinish(): void;
  schnorrBatchCommit(index: number): number;
  schnorrBatchMultiply(count: number): void;
  schnorrBatchChallenge(index: number): void;
  schnorrVerifyStart(): void;
  schnorrVerifyFinish(): number;
}

/**
 * The buffers for arguments and results; assembly/memory.ts and secp256k1/ecdsa.ts have their sizes. `compact` is what
 * follows the recovery id in `signature`: engines make arrays of up to 64 bytes several times as fast as longer ones.
 */
export type BufferName =
  | 'secretKey'
  | 'publicKey'
  | 'signature'
  | 'extra'
  | 'preparedKey'
  | 'digest'
  | 'seed'
  | 'compact'
  | 'batchSignatures';

export class Curves {
  readonly run: CurvesExports;
  readonly #addresses: Record<BufferName, number>;
  readonly #message: number;
  readonly #pieceBytes: number;
  readonly #secrets: number;
  readonly #batch: number;
  readonly #batchEnd: number;
  #view: Uint8Array;
  #messageLength = 0;
  #longMessage: Uint8Array | undefined;
  #written = 0;
  #usesBatch = false;

  constructor(exports: CurvesExports) {
    this.run = exports;
    this.#addresses = {
      secretKey: exports.SECRET_KEY.value,
      publicKey: exports.PUBLIC_KEY.value,
      signature: exports.SIGNATURE.value,
      extra: exports.EXTRA.value,
      preparedKey: exports.PREPARED_KEY.value,
      digest: exports.DIGEST.value,
      seed: exports.SEED.value,
      compact: exports.SIGNATURE.value + 1,
      batchSignatures: exports.BATCH_SIGNATURES.value,
    };
    this.#message = exports.MESSAGE.value;
    this.#pieceBytes = exports.MESSAGE_BYTES.value;
    this.#secrets = exports.SECRETS.value;
    this.#batch = exports.BATCH_SECRETS.value;
    this.#batchEnd = this.#batch + exports.BATCH_SECRETS_BYTES.value;
    this.#view = new Uint8Array(exports.memory.buffer);
  }

  put(buffer: BufferName, bytes: Uint8Array): void {
    this.#bytes().set(bytes, this.#addresses[buffer]);
  }

  /** A copy of the first `length` bytes of a buffer. */
  take(buffer: BufferName, length: number): Uint8Array {
    const start = this.#addresses[buffer];
    return this.#bytes().slice(start, start + length);
  }

  /**
   * Takes the message of this call, for as many `feed`s as the algorithm needs. All of them see the same bytes, even
   * if another thread writes to a shared buffer meanwhile: two challenges under one nonce would give the key away.
   */
  hold(message: Uint8Array): void {
    this.#longMessage?.fill(0);
    this.#messageLength = lengthOf(message);
    if (this.#messageLength > this.#pieceBytes) {
      this.#longMessage = new Uint8Array(message);
    } else {
      this.#longMessage = undefined;
      this.#putPiece(message, this.#messageLength);
    }
  }

  /** Passes the held message to `absorb`, which is told how many bytes of it now are in MESSAGE. */
  feed(absorb: (length: number) => void): void {
    if (this.#longMessage === undefined) {
      absorb(this.#messageLength);
      return;
    }
    for (let start = 0; start < this.#messageLength; start += this.#pieceBytes) {
      const piece = this.#longMessage.subarray(start, start + this.#pieceBytes);
      this.#putPiece(piece, piece.length);
      absorb(piece.length);
    }
  }

  /** Puts one of several messages at an address within MESSAGE. */
  place(message: Uint8Array, address: number): void {
    this.#written = Math.max(this.#written, address + lengthOf(message) - this.#message);
    this.#bytes().set(message, address);
  }

  /** To be called before functions of the module that work on a batch of signatures. */
  useBatch(): void {
    this.#usesBatch = true;
  }

  wipe(): void {
    // MESSAGE follows SECRETS
    this.#bytes().fill(0, this.#secrets, this.#message + this.#written);
    if (this.#usesBatch) this.#bytes().fill(0, this.#batch, this.#batchEnd);
    this.#usesBatch = false;
    this.#longMessage?.fill(0);
    this.#longMessage = undefined;
    this.#written = 0;
  }

  #putPiece(piece: Uint8Array, length: number): void {
    this.#written = Math.max(this.#written, length);
    this.#bytes().set(piece, this.#message);
  }

  /** The memory does not grow by itself; if something ever makes it grow, the old view is detached and empty. */
  #bytes(): Uint8Array {
    if (this.#view.length === 0) this.#view = new Uint8Array(this.run.memory.buffer);
    return this.#view;
  }
}

let curves: Curves | undefined;

/** Runs `work` on the module and wipes it afterwards. After a trap the next call gets a fresh module. */
export function withCurves<T>(work: (curves: Curves) => T): T {
  curves ??= new Curves(instantiate());
  const current = curves;
  try {
    return work(current);
  } catch (error) {
    if (error instanceof WebAssembly.RuntimeError) curves = undefined;
    throw error;
  } finally {
    current.wipe();
  }
}

function instantiate(): CurvesExports {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(decodeBase64(base64)), {});
  return exports as unknown as CurvesExports;
}

/** Plain loops are slow before the engine has compiled them: where there is a native decoder, it is used. */
function decodeBase64(text: string): Uint8Array<ArrayBuffer> {
  if (globalThis.Buffer !== undefined) return new Uint8Array(globalThis.Buffer.from(text, 'base64'));
  const characters = atob(text);
  const bytes = new Uint8Array(characters.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = characters.charCodeAt(i);
  return bytes;
}
