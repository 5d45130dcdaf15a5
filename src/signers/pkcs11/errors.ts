// One shape for every failure of a PKCS#11 call. pkcs11js throws four: an error with a numeric `code`; a plain Error whose
// message is "CKR_NAME:number"; a TypeError for arguments; "CKR_VENDOR_DEFINED" with the true number. All become a
// Pkcs11Error that carries the CKR name, its number and the C_ function, and says what to do next.

import { Pkcs11Error, type SignerErrorCode } from '../../errors.js';
import { CKR, ckrName } from './constants.js';

type Meaning = readonly [code: SignerErrorCode, advice: string];

const WITHOUT_SPENDING = 'it is not tried again, so that the token does not lock';

const meanings = new Map<number, Meaning>([
  [
    CKR.CKR_PIN_INCORRECT,
    [
      'pin-incorrect',
      `the PIN is wrong; ${WITHOUT_SPENDING}. Correct it in ERST_PKCS11_PIN_FILE (or _PIN, _PIN_COMMAND, _PIN_CREDENTIAL)`,
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

const codes = (...numbers: number[]): ReadonlySet<number> => new Set(numbers);

/** The session is gone, and with the last session of a token the login. */
const SESSION_DEAD = codes(CKR.CKR_SESSION_HANDLE_INVALID, CKR.CKR_SESSION_CLOSED);

/** The object is gone, or its handle has changed with the login. */
const HANDLE_STALE = codes(CKR.CKR_OBJECT_HANDLE_INVALID, CKR.CKR_KEY_HANDLE_INVALID);

/** Codes after which a session is worth nothing and a fresh one may do: nothing was signed, or it was not released. */
const NEW_SESSION_CURES = codes(
  ...SESSION_DEAD,
  ...HANDLE_STALE,
  CKR.CKR_OPERATION_ACTIVE,
  CKR.CKR_OPERATION_NOT_INITIALIZED,
  CKR.CKR_BUFFER_TOO_SMALL,
);

/** The device or the module's view of it is gone: C_Finalize, C_Initialize and looking for the token again may help. */
const RESTART_CURES = codes(
  CKR.CKR_HOST_MEMORY,
  CKR.CKR_SLOT_ID_INVALID,
  CKR.CKR_GENERAL_ERROR,
  CKR.CKR_FUNCTION_FAILED,
  CKR.CKR_DEVICE_ERROR,
  CKR.CKR_DEVICE_MEMORY,
  CKR.CKR_DEVICE_REMOVED,
  CKR.CKR_TOKEN_NOT_PRESENT,
  CKR.CKR_TOKEN_NOT_RECOGNIZED,
  CKR.CKR_CRYPTOKI_NOT_INITIALIZED,
  // libykcs11 2.7 where another program has selected another applet.
  CKR.CKR_FUNCTION_NOT_SUPPORTED,
);

/** The token has refused the PIN, and another try with it may lock the token. */
const PIN_REFUSED = codes(
  CKR.CKR_PIN_INCORRECT,
  CKR.CKR_PIN_INVALID,
  CKR.CKR_PIN_LEN_RANGE,
  CKR.CKR_PIN_LOCKED,
);

const hasCode = (error: unknown, set: ReadonlySet<number>): boolean =>
  error instanceof Pkcs11Error && error.ckrCode !== undefined && set.has(error.ckrCode);

/** Whether `error` says that the session does not exist any more. */
export const isSessionDead = (error: unknown): boolean => hasCode(error, SESSION_DEAD);

/** Whether a fresh session may cure `error`. */
export const curedByNewSession = (error: unknown): boolean => hasCode(error, NEW_SESSION_CURES);

/** Whether finalizing and initializing the module may cure `error`. */
export const curedByRestart = (error: unknown): boolean => hasCode(error, RESTART_CURES);

/** Whether `error` says that the login is gone. */
export const isLoginLost = (error: unknown): boolean => hasCode(error, codes(CKR.CKR_USER_NOT_LOGGED_IN));

/** Whether `error` is the token's refusal of a PIN, which must not be tried again. */
export const isPinRefusal = (error: unknown): boolean => hasCode(error, PIN_REFUSED);
