// Every failure that is not the caller's bug is a SignerError: a stable `code` from a closed union, a message that says
// what to do next, and the `cause`. A caller's bug is a TypeError or RangeError, before any work. Messages never hold
// a PIN, a secret key, a passphrase or data to be signed.

/** What went wrong, stable across versions; each line says when it is seen. */
export type SignerErrorCode =
  // configuration and runtime
  | 'invalid-config' // a setting is missing or wrong; the message names the variable and shows an example
  | 'unsupported-runtime' // this signer type cannot exist here, e.g. pkcs11 in a browser
  | 'unsupported-algorithm' // the key, token or signer has no such algorithm
  // keys in files
  | 'invalid-key' // not a key in a format that is read here
  | 'key-unreadable' // the key's file is missing, a directory, or not ours to read
  | 'wrong-passphrase' // an encrypted key, and the passphrase is absent or does not open it
  | 'key-mismatch' // the key found is not the one expected or pinned
  // life of a signer
  | 'signer-closed' // used after close()
  | 'signature-invalid' // not a signature in DER, or one that did not verify against the pinned public key and was not released
  // PKCS#11
  | 'module-missing' // the optional package pkcs11js is not installed
  | 'module-load-failed' // the PKCS#11 module file cannot be loaded
  | 'token-not-found' // no token matches
  | 'token-ambiguous' // several tokens match
  | 'key-not-found' // no key matches (token or bridge)
  | 'key-ambiguous' // several keys match
  | 'pin-missing' // the token wants a PIN and none was given
  | 'pin-incorrect' // the token refused the PIN, or it differs from the one that is logged in
  | 'pin-locked' // the token's PIN is locked or one wrong try away from it
  | 'mechanism-unsupported' // the token cannot sign with this algorithm
  | 'module-crashed' // the module's process died, and again when it was started anew
  | 'signer-busy' // too many signatures are waiting for the token
  | 'token-error' // any other CKR code; `ckr` and `functionName` say which
  // a key behind a bridge
  | 'bridge-unreachable' // no connection
  | 'bridge-not-recognized' // closed before the bridge proved itself: wrong bridge key, or not a bridge
  | 'client-not-accepted' // closed after this client proved itself: not authorized, or link used, expired or wrong
  | 'connection-lost' // the connection ended while a request was open; its outcome is unknown
  | 'protocol-error' // the peer sent what the protocol does not allow
  | 'request-denied' // this client may not do this
  | 'rate-limited' // this client's rate is used up
  | 'bridge-busy' // too many requests are waiting
  | 'timeout' // a deadline passed
  | 'key-unavailable' // the bridge knows the key, but its signer failed; the bridge's log has the cause
  | 'bridge-error' // the bridge failed inside; its log has the cause
  // a browser
  | 'storage-unavailable'; // the browser does not let this page store data, e.g. in a private window

/** Base class of everything that this package throws for reasons other than a caller's bug. */
export class SignerError extends Error {
  readonly code: SignerErrorCode;

  constructor(code: SignerErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
  }
}

/** A setting is missing or wrong. `setting` is the environment variable or configuration field. */
export class ConfigError extends SignerError {
  readonly setting: string;

  constructor(setting: string, message: string, options?: ErrorOptions) {
    super('invalid-config', message, options);
    this.setting = setting;
  }
}

/** A key file or encoding is not readable, or not the key that was expected. */
export class KeyError extends SignerError {}

/** A failure that a PKCS#11 module reported, or that concerns its token, PIN or keys. */
export class Pkcs11Error extends SignerError {
  /** Return code's name, e.g. `CKR_PIN_INCORRECT`; absent where no PKCS#11 call failed. */
  readonly ckr?: string;
  /** Return code's number. */
  readonly ckrCode?: number;
  /** The PKCS#11 function that returned it, e.g. `C_Login`. */
  readonly functionName?: string;

  constructor(
    code: SignerErrorCode,
    message: string,
    options?: ErrorOptions & { ckr?: string; ckrCode?: number; functionName?: string },
  ) {
    super(code, message, options);
    if (options?.ckr !== undefined) this.ckr = options.ckr;
    if (options?.ckrCode !== undefined) this.ckrCode = options.ckrCode;
    if (options?.functionName !== undefined) this.functionName = options.functionName;
  }
}

/** A failure between this client and a bridge, or one that the bridge reported. */
export class RemoteError extends SignerError {}
