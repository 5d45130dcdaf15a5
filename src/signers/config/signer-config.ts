// What a signer's configuration holds, as an object.

import type { Algorithm } from '../types.js';

export type SignerType = 'software' | 'pkcs11' | 'remote';

/** What `SignerFactory.createFromConfig` takes. */
export interface SignerConfig {
  /** Default: `software`. */
  signerType?: SignerType;
  /** Unset: the key's own. Set: the key must be of this algorithm, or creation fails with `key-mismatch`. */
  algorithm?: Algorithm;
  software?: SoftwareConfig;
  pkcs11?: Omit<Pkcs11Config, 'algorithm'>;
  remote?: RemoteConfig;
}

/** A key in a file or a string: exactly one of the two. */
export interface SoftwareConfig {
  /** Path of a PEM file. Node only. */
  privateKeyPath?: string;
  /** The PEM text itself. */
  privateKeyPem?: string;
  /** Opens an encrypted key; not used where the key is not encrypted. At most one of the three. */
  passphrase?: string;
  /** File that holds the passphrase. Node only. */
  passphraseFile?: string;
  /** Shell command that prints the passphrase. Node only. */
  passphraseCommand?: string;
}

/** A key on a PKCS#11 token. Node only. */
export interface Pkcs11Config {
  /** Path of the PKCS#11 module (a shared library); needed unless `uri` names it. */
  modulePath?: string;
  /** The PIN itself, kept in memory until `close()`. At most one of `pin`, `pinFile`, `pinCommand`, `pinCredential`. */
  pin?: string;
  /** File that holds the PIN, and nothing else but a line end; read at each login. Refused where everybody can write it. */
  pinFile?: string;
  /** Shell command that prints the PIN; run at each login. */
  pinCommand?: string;
  /** Name of the systemd credential that holds the PIN: a file in `$CREDENTIALS_DIRECTORY`, read at each login. */
  pinCredential?: string;
  /** Token by its label; at most one of `tokenLabel`, `slotIndex`. */
  tokenLabel?: string;
  /** Token by its position in `C_GetSlotList(tokenPresent = true)`, from 0; not a slot id. */
  slotIndex?: number;
  /** Key by its label; at most one of `keyLabel`, `keyIdHex`, `pivSlot`. */
  keyLabel?: string;
  /** Key by its CKA_ID in hex, two digits a byte. */
  keyIdHex?: string;
  /** Key by its PIV slot: 9a, 9c, 9d, 9e, 82 to 95, f9. */
  pivSlot?: string;
  /**
   * The public key that the token's key must have, as PEM of its SPKI; else opening fails with `key-mismatch`. Takes the
   * place of a public key that the token does not hold.
   */
  publicKeyPem?: string;
  /**
   * RFC 7512 URI in place of the fields that choose token and key. Several, with white space between, are replicas: tokens
   * that hold the same key.
   */
  uri?: string;
  /** Further tokens that hold the same key. What one of them leaves out is as it is here. */
  replicas?: Pkcs11Replica[];
  /** `true`: the module is loaded into this process, and a crash of it ends this process. Default: `false`, a child process. */
  inProcess?: boolean;
  /** `false`: opening makes no test signature; for keys that want a touch at each one. Default: `true`. */
  probe?: boolean;
  /** Child processes, 1 to 16, each with a login of its own; for modules that do one thing at a time. Default: 1. */
  processes?: number;
  /** Sessions that sign at once, in each process, 1 to 128. Default: 1 on smart cards and software tokens, 32 on others. */
  maxSessions?: number;
  /**
   * How many milliseconds one call of the module may take before its process is ended, 100 to 600,000. Three times that for
   * making a key and initializing a token. Default: 20,000.
   */
  timeoutMs?: number;
  /** Signatures that may wait for the token at once, 1 to 65,536; one more fails with `signer-busy`. Default: 1,024. */
  maxQueue?: number;
  /**
   * The vendor's root certificates, PEM, one or several; every one of them is trusted. Opening fails with `key-mismatch`
   * unless the device attests, under one of them, that the key was made on it.
   */
  attestationRootPem?: string;
  /** The key must be of this algorithm. The factory sets it from `SignerConfig.algorithm`. */
  algorithm?: Algorithm;
}

/** A token that holds the same key as another. */
export type Pkcs11Replica = Omit<Pkcs11Config, 'replicas' | 'publicKeyPem' | 'algorithm'>;

/** A key behind a bridge. */
export interface RemoteConfig {
  /** `wss://` or `ws://` address of the bridge. Needed unless the file at `identityPath` has it. */
  url?: string;
  /** X25519 public key of the bridge, 32 bytes in base64url. Needed unless the file at `identityPath` has it. */
  bridgeKey?: string;
  /** File with this client's identity as pairing gave it, or with the JSON of all its credentials. Node only. */
  identityPath?: string;
  /** The identity itself, in place of `identityPath`. There is no variable for it. */
  identity?: unknown;
  /** Name of the key on the bridge. */
  key?: string;
  /** As pairing gave it: the public keys that the bridge showed then, which are pinned. */
  keys?: Record<string, { algorithm: Algorithm; spki: string }>;
  /** As pairing gave it: the name that the bridge knows this client by. */
  client?: string;
  /** Lets `ws://` go to another machine: the channel protects itself, but others see when you sign. */
  allowPlainWs?: boolean;
}

/** A configuration that has been checked; its signer type is settled. */
export type CheckedConfig = SignerConfig & { signerType: SignerType };

/** Such as `process.env`. */
export type Environment = Readonly<Record<string, string | undefined>>;
