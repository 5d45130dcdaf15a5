// What the curves have in common beyond the functions of @noble/curves.

/**
 * A secret key expanded once, for signing many messages. The expansion is kept in one `Uint8Array` outside WASM memory
 * and copied in for each call.
 */
export interface PreparedKey<Options = object> {
  /** The public key, in the encoding that `getPublicKey` gives. Each read gives a copy. */
  readonly publicKey: Uint8Array;

  /**
   * The signature that `sign` with the secret key gives.
   * @throws {TypeError} for arguments of the wrong type, and after `destroy()`
   */
  sign(message: Uint8Array, options?: Options): Uint8Array;

  /** The signatures of all messages, in their order; nothing is signed if one of the arguments is wrong. */
  signBatch(messages: readonly Uint8Array[], options?: Options): Uint8Array[];

  /** Fills the expansion with zeros. Signing afterwards is a TypeError; destroying twice is allowed. */
  destroy(): void;
}

/** A signature together with what it is said to sign. */
export interface SignedMessage {
  readonly signature: Uint8Array;
  readonly message: Uint8Array;
  readonly publicKey: Uint8Array;
}
