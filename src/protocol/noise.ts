// The Noise Protocol Framework, revision 34 (https://noiseprotocol.org/noise.html), for two protocols:
// Noise_XK_25519_ChaChaPoly_SHA256 and Noise_XKpsk3_25519_ChaChaPoly_SHA256. Section numbers below are that document's.
// Asynchronous, because Diffie-Hellman is handed in (dh.ts). Whatever fails ends the object it failed in: a handshake or
// a transport that has seen one bad message wipes its keys and never works again. Wiping reaches our own arrays; copies
// that the engine or the primitives made are out of reach.

import { chacha20poly1305 } from '@noble/ciphers/chacha.js';
import { hkdf } from '@noble/hashes/hkdf.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { concatBytes, equalBytes, expectBytes, utf8 } from '../bytes.js';
import { DH_LENGTH, type DhKeyPair, x25519KeyPair } from './dh.js';
import { ProtocolError } from './protocol-error.js';

/** Longest Noise message, handshake or transport (§3). */
export const MAX_NOISE_MESSAGE_BYTES = 65_535;
/** Bytes of an authentication tag. */
export const TAG_LENGTH = 16;
/** Longest plaintext of one transport message. */
export const MAX_PLAINTEXT_BYTES = MAX_NOISE_MESSAGE_BYTES - TAG_LENGTH;
/** Bytes of a pre-shared key (§9.1). */
export const PSK_LENGTH = 32;

const HASH_LENGTH = 32;
const MAX_NONCE = 2n ** 64n - 1n; // reserved (§5.1): never used to encrypt or decrypt
const NO_BYTES = new Uint8Array(0);
const ALL_ZEROS = new Uint8Array(DH_LENGTH);

export type NoisePattern = 'XK' | 'XKpsk3';
export type NoiseRole = 'initiator' | 'responder';

type Token = 'e' | 's' | 'ee' | 'es' | 'se' | 'psk';

// §7.5, §9.4. Both have the pre-message "<- s".
const MESSAGES: Record<NoisePattern, readonly (readonly Token[])[]> = {
  XK: [
    ['e', 'es'],
    ['e', 'ee'],
    ['s', 'se'],
  ],
  XKpsk3: [
    ['e', 'es'],
    ['e', 'ee'],
    ['s', 'se', 'psk'],
  ],
};

/** A cipher key with its counter (§5.1). Exported for the tests of its limit; everything else uses `Transport`. */
export class CipherState {
  #key: Uint8Array | undefined;
  #nonce = 0n;

  /** InitializeKey: copies 32 bytes. */
  initializeKey(key: Uint8Array): void {
    this.wipe();
    this.#key = Uint8Array.from(key);
    this.#nonce = 0n;
  }

  get hasKey(): boolean {
    return this.#key !== undefined;
  }

  setNonce(nonce: bigint): void {
    this.#nonce = nonce;
  }

  /** Throws once the counter is at its limit, and leaves the counter where it was. */
  encryptWithAd(ad: Uint8Array, plaintext: Uint8Array): Uint8Array {
    const ciphertext = this.#cipher(ad).encrypt(plaintext);
    this.#nonce++;
    return ciphertext;
  }

  /** Throws where the tag is wrong or the counter at its limit, and leaves the counter where it was. */
  decryptWithAd(ad: Uint8Array, ciphertext: Uint8Array): Uint8Array {
    const cipher = this.#cipher(ad);
    let plaintext: Uint8Array;
    try {
      plaintext = cipher.decrypt(ciphertext);
    } catch (cause) {
      throw new ProtocolError('a message did not authenticate', { cause });
    }
    this.#nonce++;
    return plaintext;
  }

  wipe(): void {
    this.#key?.fill(0);
    this.#key = undefined;
  }

  #cipher(ad: Uint8Array) {
    if (this.#key === undefined) throw new ProtocolError('the channel has no key any more');
    if (this.#nonce >= MAX_NONCE)
      throw new ProtocolError('the channel has used up its nonces; connect again');
    return chacha20poly1305(this.#key, nonceBytes(this.#nonce), ad);
  }
}

// §12.3: 32 zero bits, then the counter, little-endian.
function nonceBytes(nonce: bigint): Uint8Array {
  const bytes = new Uint8Array(12);
  new DataView(bytes.buffer).setBigUint64(4, nonce, true);
  return bytes;
}

/** Chaining key, transcript hash and cipher of a handshake (§5.2). */
class SymmetricState {
  readonly #cipher = new CipherState();
  #chainingKey: Uint8Array;
  #hash: Uint8Array;

  constructor(protocolName: string) {
    const name = utf8(protocolName);
    if (name.length <= HASH_LENGTH) {
      this.#hash = new Uint8Array(HASH_LENGTH);
      this.#hash.set(name);
    } else {
      this.#hash = sha256(name);
    }
    this.#chainingKey = Uint8Array.from(this.#hash);
  }

  get handshakeHash(): Uint8Array {
    return Uint8Array.from(this.#hash);
  }

  mixKey(keyMaterial: Uint8Array): void {
    const output = this.#extract(keyMaterial, 2);
    this.#chainingKey.set(output.subarray(0, 32));
    this.#cipher.initializeKey(output.subarray(32, 64));
    output.fill(0);
  }

  mixHash(data: Uint8Array): void {
    this.#hash = sha256(concatBytes(this.#hash, data));
  }

  mixKeyAndHash(keyMaterial: Uint8Array): void {
    const output = this.#extract(keyMaterial, 3);
    this.#chainingKey.set(output.subarray(0, 32));
    this.mixHash(output.subarray(32, 64));
    this.#cipher.initializeKey(output.subarray(64, 96));
    output.fill(0);
  }

  encryptAndHash(plaintext: Uint8Array): Uint8Array {
    const out = this.#cipher.hasKey ? this.#cipher.encryptWithAd(this.#hash, plaintext) : plaintext;
    this.mixHash(out);
    return out;
  }

  decryptAndHash(data: Uint8Array): Uint8Array {
    const plaintext = this.#cipher.hasKey
      ? this.#cipher.decryptWithAd(this.#hash, data)
      : Uint8Array.from(data);
    this.mixHash(data);
    return plaintext;
  }

  /** Ciphers for initiator → responder and for responder → initiator. */
  split(): [CipherState, CipherState] {
    const output = this.#extract(NO_BYTES, 2);
    const ciphers: [CipherState, CipherState] = [new CipherState(), new CipherState()];
    ciphers[0].initializeKey(output.subarray(0, 32));
    ciphers[1].initializeKey(output.subarray(32, 64));
    output.fill(0);
    return ciphers;
  }

  wipe(): void {
    this.#cipher.wipe();
    this.#chainingKey.fill(0);
  }

  // §4.3: HKDF is RFC 5869's, with the chaining key as salt and an empty info.
  #extract(keyMaterial: Uint8Array, outputs: 2 | 3): Uint8Array {
    return hkdf(sha256, keyMaterial, this.#chainingKey, undefined, outputs * HASH_LENGTH);
  }
}

export interface HandshakeOptions {
  pattern: NoisePattern;
  role: NoiseRole;
  /** Bytes that both sides must agree on, or the handshake fails. */
  prologue: Uint8Array;
  /** This side's static key. */
  staticKeys: DhKeyPair;
  /** The responder's 32-byte static public key. Initiator only, where it is required. */
  remoteStatic?: Uint8Array;
  /** XKpsk3 only: 32 bytes, copied; or `setPsk` later, before the third message. */
  psk?: Uint8Array;
  /** For test vectors only: a fixed ephemeral key. Left out, a fresh one is made and destroyed. */
  ephemeralKeys?: DhKeyPair;
}

/**
 * One handshake of three messages, initiator first (§5.3). Call `writeMessage` and `readMessage` in turn, one at a time,
 * until `finished`, then `split` once. Bytes from the peer that are not acceptable reject with `ProtocolError`; calls in
 * the wrong order with `TypeError`. After either, and after `destroy`, every call rejects and the keys are wiped.
 */
export class Handshake {
  readonly pattern: NoisePattern;
  readonly role: NoiseRole;
  readonly #state: SymmetricState;
  readonly #staticKeys: DhKeyPair;
  readonly #ephemeralKeys: DhKeyPair;
  #remoteStatic: Uint8Array | undefined;
  #remoteEphemeral: Uint8Array | undefined;
  #psk: Uint8Array | undefined;
  #messagesDone = 0;
  #busy = false;
  #ended = false;

  constructor(options: HandshakeOptions) {
    const { pattern, role, prologue, staticKeys, remoteStatic, psk } = options;
    if (!Object.hasOwn(MESSAGES, pattern)) throw new TypeError(`unknown Noise pattern: ${pattern}`);
    if (role !== 'initiator' && role !== 'responder') throw new TypeError(`unknown Noise role: ${role}`);
    if ((role === 'initiator') !== (remoteStatic !== undefined)) {
      throw new TypeError('remoteStatic belongs to the initiator, who must give it');
    }
    expectBytes(prologue, 'prologue');
    if (remoteStatic) this.#remoteStatic = copy32(remoteStatic, 'remoteStatic');
    this.pattern = pattern;
    this.role = role;
    this.#staticKeys = staticKeys;
    if (psk) this.setPsk(psk);
    this.#state = new SymmetricState(`Noise_${pattern}_25519_ChaChaPoly_SHA256`);
    this.#state.mixHash(prologue);
    this.#state.mixHash(this.#remoteStatic ?? staticKeys.publicKey);
    this.#ephemeralKeys = options.ephemeralKeys ?? x25519KeyPair();
  }

  /** Whether all three messages have passed; `split` is then due. */
  get finished(): boolean {
    return !this.#ended && this.#messagesDone === 3;
  }

  /** The peer's static public key, a copy of 32 bytes. On the responder's side: authenticated, and known once `finished`. */
  get remoteStatic(): Uint8Array {
    if (this.role === 'responder' && !this.finished) throw new TypeError('the peer is not known yet');
    return Uint8Array.from(this.#remoteStatic!);
  }

  /** Gives the pre-shared key of XKpsk3: 32 bytes, copied. A responder may look it up by what the first message said. */
  setPsk(psk: Uint8Array): void {
    if (this.pattern !== 'XKpsk3') throw new TypeError('a pre-shared key belongs to XKpsk3 only');
    this.#psk?.fill(0);
    this.#psk = copy32(psk, 'psk');
  }

  /** Makes this side's next message around `payload`. */
  writeMessage(payload: Uint8Array = NO_BYTES): Promise<Uint8Array> {
    return this.#step('write', async (tokens) => {
      expectBytes(payload, 'payload');
      const parts: Uint8Array[] = [];
      for (const token of tokens) parts.push(await this.#writeToken(token));
      parts.push(this.#state.encryptAndHash(payload));
      const message = concatBytes(...parts);
      if (message.length > MAX_NOISE_MESSAGE_BYTES) {
        throw new RangeError(
          `a Noise message is at most ${MAX_NOISE_MESSAGE_BYTES} bytes, this one ${message.length}`,
        );
      }
      return message;
    });
  }

  /** Takes the peer's next message and gives its payload. */
  readMessage(message: Uint8Array): Promise<Uint8Array> {
    return this.#step('read', async (tokens) => {
      const reader = new Reader(expectBytes(message, 'message'));
      for (const token of tokens) await this.#readToken(token, reader);
      return this.#state.decryptAndHash(reader.rest());
    });
  }

  /** The transport that the handshake agreed on. Once, when `finished`; the handshake is of no use afterwards. */
  split(): Transport {
    if (!this.finished) throw new TypeError('the handshake is not finished');
    const [fromInitiator, fromResponder] = this.#state.split();
    const { handshakeHash } = this.#state;
    this.destroy();
    return this.role === 'initiator'
      ? new Transport(fromInitiator, fromResponder, handshakeHash)
      : new Transport(fromResponder, fromInitiator, handshakeHash);
  }

  /** Wipes the keys. Idempotent; `split` does it too. */
  destroy(): void {
    this.#ended = true;
    this.#state.wipe();
    this.#psk?.fill(0);
    this.#ephemeralKeys.destroy?.();
  }

  async #step<T>(kind: 'read' | 'write', work: (tokens: readonly Token[]) => Promise<T>): Promise<T> {
    const turn = (this.#messagesDone % 2 === 0) === (this.role === 'initiator') ? 'write' : 'read';
    const tokens = MESSAGES[this.pattern][this.#messagesDone];
    if (this.#ended || this.#busy || tokens === undefined || kind !== turn) {
      this.destroy();
      throw new TypeError(`this handshake cannot ${kind} a message now`);
    }
    this.#busy = true;
    try {
      const result = await work(tokens);
      this.#requireAlive();
      this.#messagesDone++;
      return result;
    } catch (error) {
      this.#requireAlive(); // destroyed while waiting: whatever failed, that is why
      this.destroy();
      throw error;
    } finally {
      this.#busy = false;
    }
  }

  #requireAlive(): void {
    if (this.#ended) throw new TypeError('the handshake was given up');
  }

  async #writeToken(token: Token): Promise<Uint8Array> {
    switch (token) {
      case 'e':
        this.#mixEphemeral(this.#ephemeralKeys.publicKey);
        return this.#ephemeralKeys.publicKey;
      case 's':
        return this.#state.encryptAndHash(this.#staticKeys.publicKey);
      default:
        await this.#mixSecret(token);
        return NO_BYTES;
    }
  }

  async #readToken(token: Token, reader: Reader): Promise<void> {
    switch (token) {
      case 'e':
        this.#remoteEphemeral = reader.take(DH_LENGTH);
        this.#mixEphemeral(this.#remoteEphemeral);
        return;
      case 's':
        this.#remoteStatic = this.#state.decryptAndHash(reader.take(DH_LENGTH + TAG_LENGTH));
        return;
      default:
        await this.#mixSecret(token);
    }
  }

  // §9.2: with a pre-shared key in the pattern, "e" is mixed into the key as well.
  #mixEphemeral(publicKey: Uint8Array): void {
    this.#state.mixHash(publicKey);
    if (this.pattern === 'XKpsk3') this.#state.mixKey(publicKey);
  }

  async #mixSecret(token: 'ee' | 'es' | 'se' | 'psk'): Promise<void> {
    if (token === 'psk') {
      if (this.#psk === undefined)
        throw new TypeError('the third message of XKpsk3 needs the pre-shared key');
      this.#state.mixKeyAndHash(this.#psk);
      return;
    }
    // The first letter names the initiator's key, the second the responder's.
    const [own, theirs] = this.role === 'initiator' ? [token[0], token[1]] : [token[1], token[0]];
    const secret = await sharedSecret(
      own === 'e' ? this.#ephemeralKeys : this.#staticKeys,
      (theirs === 'e' ? this.#remoteEphemeral : this.#remoteStatic)!,
    );
    this.#requireAlive(); // a key mixed in after the wipe would stay
    this.#state.mixKey(secret);
    secret.fill(0);
  }
}

// §12.1 leaves all-zero results to the application; RFC 7748 §6.1 lets it abort, and we do.
async function sharedSecret(keys: DhKeyPair, remotePublicKey: Uint8Array): Promise<Uint8Array> {
  let secret: Uint8Array;
  try {
    secret = await keys.dh(remotePublicKey);
  } catch (cause) {
    throw new ProtocolError('Diffie-Hellman with the peer failed', { cause });
  }
  if (secret.length !== DH_LENGTH || equalBytes(secret, ALL_ZEROS)) {
    throw new ProtocolError('Diffie-Hellman with the peer gave no secret');
  }
  return secret;
}

/** Takes a received handshake message apart. */
class Reader {
  #rest: Uint8Array;

  constructor(message: Uint8Array) {
    if (message.length > MAX_NOISE_MESSAGE_BYTES) {
      throw new ProtocolError('a handshake message is too long', { closeCode: 1009 });
    }
    this.#rest = message;
  }

  take(length: number): Uint8Array {
    if (this.#rest.length < length) throw new ProtocolError('a handshake message is too short');
    const taken = this.#rest.slice(0, length);
    this.#rest = this.#rest.subarray(length);
    return taken;
  }

  rest(): Uint8Array {
    return this.#rest;
  }
}

/** What encrypts and decrypts one message at a time, in order. */
export interface TransportCipher {
  /** Encrypts up to 65,519 bytes; 16 bytes longer. */
  encrypt(plaintext: Uint8Array): Uint8Array;
  /** Decrypts the peer's next message; `ProtocolError` for anything else, replayed and reordered messages included. */
  decrypt(message: Uint8Array): Uint8Array;
}

/**
 * The channel after a handshake (§5.1, §11.2): one key and one counter a direction. After a failure in either direction
 * both are wiped and every call throws `ProtocolError`.
 */
export class Transport implements TransportCipher {
  readonly #send: CipherState;
  readonly #receive: CipherState;
  readonly #handshakeHash: Uint8Array;

  constructor(send: CipherState, receive: CipherState, handshakeHash: Uint8Array) {
    this.#send = send;
    this.#receive = receive;
    this.#handshakeHash = handshakeHash;
  }

  /** 32 bytes that name this session and no other (§11.2, channel binding). A copy. */
  get handshakeHash(): Uint8Array {
    return Uint8Array.from(this.#handshakeHash);
  }

  /** A plaintext that is too long is a `RangeError` and changes nothing. */
  encrypt(plaintext: Uint8Array): Uint8Array {
    if (expectBytes(plaintext, 'plaintext').length > MAX_PLAINTEXT_BYTES) {
      throw new RangeError(
        `a plaintext is at most ${MAX_PLAINTEXT_BYTES} bytes, this one ${plaintext.length}`,
      );
    }
    return this.#orDestroy(() => this.#send.encryptWithAd(NO_BYTES, plaintext));
  }

  decrypt(message: Uint8Array): Uint8Array {
    expectBytes(message, 'message');
    return this.#orDestroy(() => {
      if (message.length > MAX_NOISE_MESSAGE_BYTES) {
        throw new ProtocolError('a message is too long', { closeCode: 1009 });
      }
      return this.#receive.decryptWithAd(NO_BYTES, message);
    });
  }

  /** Wipes the keys. Idempotent. */
  destroy(): void {
    this.#send.wipe();
    this.#receive.wipe();
  }

  #orDestroy<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      this.destroy();
      throw error;
    }
  }
}

const copy32 = (bytes: Uint8Array, name: string) => Uint8Array.from(expectBytes(bytes, name, 32));
