// One shape for every failure of a PKCS#11 call. pkcs11js throws four: an error with a numeric `code`; a plain Error whose
// message is "CKR_NAME:number"; a TypeError for arguments; "CKR_VENDOR_DEFINED" with the true number. All become a
// Pkcs11Error that carries the CKR name, its number and the C_ function, and says what to do next.

import { Pkcs11Error, type SignerErrorCode } from '../../errors.js';
import { CKR, ckrName } from './constants.js';

type Meaning = readonly [code: SignerErrorCode, advice: string];

const WITHOUT_SPENDING = 'it is not tried again in this process, so that the token does not lock';

const meanings = new Map<number, Meaning>([
  [
    CKR.CKR_PIN_INCORRECT,
    [
      'pin-incorrect',
      `the PIN is wrong; ${WITHOUT_SPENDING}. Set ERST_PKCS11_PIN (or _PIN_FILE, _PIN_COMMAND) right`,
    ],
  ],
  [
    CKR.CKR_PIN_INVALID,
    ['pin-incorrect', `the PIN has characters that the token refuses; ${WITHOUT_SPENDING}`],
  ],
  [CKR.CKR_PIN_LEN_RANGE, ['pin-incorrect', `the PIN is too short or too long; ${WITHOUT_SPENDING}`]],
  [CKR.CKR_PIN_EXPIRED, ['pin-incorrect', "the PIN has expired: set a new one with the vendor's tool"]],
  [
    CKR.CKR_PIN_LOCKED,
    ['pin-locked', "the PIN is locked: unblock it with the PUK or SO PIN and the vendor's tool"],
  ],
  [
    CKR.CKR_USER_PIN_NOT_INITIALIZED,
    [
      'pin-missing',
      'the token has no user PIN yet: set one, e.g. pkcs11-tool --init-pin --login --login-type so',
    ],
  ],
  [
    CKR.CKR_USER_ALREADY_LOGGED_IN,
    [
      'token-error',
      'other code in this process is logged in: use one copy of erst-hsm for a module in a process',
    ],
  ],
  [CKR.CKR_USER_NOT_LOGGED_IN, ['token-error', 'the login has ended: open the signer again']],
  [
    CKR.CKR_MECHANISM_INVALID,
    ['mechanism-unsupported', 'the token cannot do this: choose a key of another algorithm'],
  ],
  [CKR.CKR_KEY_TYPE_INCONSISTENT, ['mechanism-unsupported', 'the token cannot use this key that way']],
  [CKR.CKR_CURVE_NOT_SUPPORTED, ['mechanism-unsupported', 'the token does not have this curve']],
  [CKR.CKR_DOMAIN_PARAMS_INVALID, ['mechanism-unsupported', 'the token does not have this curve']],
  [
    CKR.CKR_KEY_FUNCTION_NOT_PERMITTED,
    ['mechanism-unsupported', 'the key may not sign (CKA_SIGN is false): choose or generate another'],
  ],
  [CKR.CKR_TOKEN_NOT_PRESENT, ['token-error', 'the token was removed: insert it and open the signer again']],
  [CKR.CKR_DEVICE_REMOVED, ['token-error', 'the device was removed: insert it and open the signer again']],
  [
    CKR.CKR_DEVICE_ERROR,
    [
      'token-error',
      'the device failed: reinsert it, see that no other program holds it and, for a smart card, that pcscd is running',
    ],
  ],
  [
    CKR.CKR_SESSION_COUNT,
    ['token-error', 'the token has no session left: close other programs that use it, or raise its limit'],
  ],
  [
    CKR.CKR_CANT_LOCK,
    ['module-load-failed', 'the module cannot be used from several threads: ask its vendor'],
  ],
  [
    CKR.CKR_TOKEN_WRITE_PROTECTED,
    ['token-error', "the token takes no new objects here: use the vendor's tool to make the key"],
  ],
  [
    CKR.CKR_GENERAL_ERROR,
    [
      'token-error',
      'the module failed without saying why: see its own log and configuration (SoftHSM: SOFTHSM2_CONF)',
    ],
  ],
]);

/** What a PKCS#11 call threw, as a `Pkcs11Error` with the return code, the function and what to do. */
export function callFailed(functionName: string, thrown: unknown): Pkcs11Error {
  const ckrCode = returnCode(thrown);
  if (ckrCode === undefined) {
    const text = thrown instanceof Error ? thrown.message : String(thrown);
    return new Pkcs11Error('token-error', `${functionName} was not carried out: ${text}`, {
      cause: thrown,
      functionName,
    });
  }
  return returned(functionName, ckrCode, thrown);
}

/** The error for a call of `functionName` that gave `ckrCode`. */
export function returned(functionName: string, ckrCode: number, cause?: unknown): Pkcs11Error {
  const ckr = ckrName(ckrCode);
  const [code, advice] = meanings.get(ckrCode) ?? [
    'token-error',
    "see docs/HSM.md, 'Troubleshooting', and the module's own log",
  ];
  const message = `${functionName} failed with ${ckr} (0x${ckrCode.toString(16)}): ${advice}`;
  return new Pkcs11Error(code, message, { cause, ckr, ckrCode, functionName });
}

function returnCode(thrown: unknown): number | undefined {
  if (!(thrown instanceof Error) || thrown instanceof TypeError) return undefined;
  const inMessage = /^CKR_\w+:(\d+)/.exec(thrown.message);
  if (inMessage) return Number(inMessage[1]);
  const { code } = thrown as { code?: unknown };
  return thrown.message.startsWith('CKR_') && typeof code === 'number' ? code : undefined;
}

/** Codes after which a session is worth nothing and a fresh one may do: nothing was signed, or it was not released. */
const SESSION_CODES: ReadonlySet<number> = new Set([
  CKR.CKR_SESSION_HANDLE_INVALID,
  CKR.CKR_SESSION_CLOSED,
  CKR.CKR_OPERATION_ACTIVE,
  CKR.CKR_OPERATION_NOT_INITIALIZED,
  CKR.CKR_BUFFER_TOO_SMALL,
  CKR.CKR_OBJECT_HANDLE_INVALID,
  CKR.CKR_KEY_HANDLE_INVALID,
]);

/** Whether a fresh session may cure `error`. */
export function curedByNewSession(error: unknown): boolean {
  return error instanceof Pkcs11Error && error.ckrCode !== undefined && SESSION_CODES.has(error.ckrCode);
}

/** Whether `error` says that the login is gone. */
export function isLoginLost(error: unknown): boolean {
  return error instanceof Pkcs11Error && error.ckrCode === CKR.CKR_USER_NOT_LOGGED_IN;
}
