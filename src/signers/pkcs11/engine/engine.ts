// What a signer and the command line ask of a module: a token that stays usable whatever happens below, and a queue in
// front of it. HostedModule (hosted-module.ts) is the layer below.

import type {
  CertificateSummary,
  ImportedKey,
  KeyFilter,
  KeyIdentity,
  KeySummary,
  ModuleDescription,
  SignRequest,
  TokenInitialization,
  TokenStatus,
  TokenSummary,
} from './hosted-module.js';

export interface EngineOptions {
  /** The module is loaded into this process, not into child processes: its crash ends this process. */
  inProcess?: boolean | undefined;
  /** Child processes, each with a login of its own; for modules that do one thing at a time. */
  processes?: number | undefined;
  /** Sessions that are lent at once, in each process; without it, what suits the kind of token. */
  maxSessions?: number | undefined;
  /** How long one call of the module may take before its process is ended; 20,000 without it. */
  timeoutMs?: number | undefined;
  /** Signatures that may wait on a token at once; 1,024 without it. */
  maxQueue?: number | undefined;
  /** How long a signature may wait for its turn; 30,000 without it. */
  queueTimeoutMs?: number | undefined;
  /** Environment of the child processes, less our own secrets; by default this process's. */
  env?: Readonly<Record<string, string | undefined>> | undefined;
}

/** Where a PIN comes from; asked at each login, also after a fault. `undefined`: there is none. */
export interface PinReader {
  read(): Promise<string | undefined>;
}

export interface TokenConnection {
  /** What the token said of itself when it was last looked for: at the start and after faults. */
  readonly token: TokenSummary;
  status(): Promise<TokenStatus>;
  /** Logs in with the PIN of the source that the connection was made with; never a second try of a refused one. */
  login(): Promise<void>;
  keys(keyClass: 'private' | 'public', filter?: KeyFilter): Promise<KeySummary[]>;
  publicPoint(key: KeyIdentity): Promise<Uint8Array | undefined>;
  certificates(filter?: KeyFilter): Promise<CertificateSummary[]>;
  /** 64 bytes, as the token made them. Waits in the token's queue, and recovers what can be recovered once. */
  sign(request: SignRequest, signal?: AbortSignal): Promise<Uint8Array>;
  /** The same once, past the queue, and with nothing recovered: for finding out whether it can be done. */
  trySign(request: SignRequest): Promise<Uint8Array>;
  generateKeyPair(key: KeyIdentity): Promise<void>;
  importKeyPair(key: ImportedKey): Promise<void>;
  deleteKeyPair(key: KeyIdentity): Promise<number>;
  close(): Promise<void>;
}

export interface Pkcs11Engine {
  readonly modulePath: string;
  describe(): Promise<ModuleDescription>;
  listTokens(): Promise<TokenSummary[]>;
  /** Finalizes and initializes the module: some find tokens only then. */
  restart(): Promise<void>;
  /** `pin` is read at each login, also at those after a fault. */
  connect(token: TokenSummary, pin: PinReader): Promise<TokenConnection>;
  initToken(token: TokenSummary, init: TokenInitialization): Promise<void>;
  release(): Promise<void>;
}
