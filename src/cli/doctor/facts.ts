// What is known of a setup, as the checks of the doctor find it out one after the other.

import type { Environment } from '../../signers/config/config.js';
import type { Pkcs11Engine, TokenConnection } from '../../signers/pkcs11/engine/engine.js';
import type {
  ModuleDescription,
  TokenStatus,
  TokenSummary,
} from '../../signers/pkcs11/engine/hosted-module.js';
import type { PinSource } from '../../signers/pkcs11/pin/pin-source.js';
import type { SelectedKey } from '../../signers/pkcs11/selection/select-key.js';
import type { Selection } from '../../signers/pkcs11/selection/selection.js';
import type { PublicKey } from '../../signers/public-key.js';

/** What checks find out and later checks need; a fact that is absent is not known. */
export interface Facts {
  readonly env: Environment;
  /** Whether a try of the PIN may be spent. */
  readonly tryPin: boolean;
  modulePath?: string;
  /** Only where no setting is wrong: a PIN must not go to a token that was chosen by mistake. */
  selection?: Selection;
  /** The file is one that the loader may see. */
  loadable?: true;
  /** Its configuration can be read, as far as that is known here. */
  configured?: true;
  engine?: Pkcs11Engine;
  /** Absent also where the module loads, but cannot list its slots. */
  description?: ModuleDescription;
  /** What the module reaches its tokens through answers, as far as that is known here. */
  serviceAnswers?: true;
  hasSlots?: true;
  tokens?: readonly TokenSummary[];
  token?: TokenSummary;
  connection?: TokenConnection;
  /** A session can be opened. */
  hasSession?: true;
  pinStatus?: TokenStatus;
  pinSource?: PinSource;
  pinIsGiven?: true;
  /** The user is logged in, or need not be. */
  loggedIn?: true;
  key?: SelectedKey;
  publicKey?: PublicKey;
}
