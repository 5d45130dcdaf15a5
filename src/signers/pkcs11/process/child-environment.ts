// The environment of a module's process: the host's, as modules are configured through it (SOFTHSM2_CONF, LD_LIBRARY_PATH,
// YKCS11_DBG, …), less what is secret and what would change Node itself.

/** PINs and passphrases, the key in a variable, and the URI, which may hold a pin-value (RFC 7512 §2.4). */
const SECRET = /^ERST_(?:.*(?:PIN|PASSPHRASE).*|SOFTWARE_PRIVATE_KEY_PEM|PKCS11_URI)$/i;
/** The debugger's port, hooks of test runners and coverage, the IPC channel of a parent. */
const NODE_OWN = /^NODE_(?:OPTIONS|CHANNEL_FD|CHANNEL_SERIALIZATION_MODE|UNIQUE_ID|V8_COVERAGE)$/i;

/** Threads for what is not a signature. */
const OTHER_THREADS = 4;
/**
 * A signature of OpenSSL 3 takes and frees more small blocks than the 7 of each size that a thread of glibc keeps (mallopt
 * has no name for it): with 127, SoftHSM makes 7 % more Ed25519 signatures, 2 % more of secp256k1. Others ignore the
 * variable; what the user has set stays.
 */
const GLIBC_TUNABLES = 'glibc.malloc.tcache_count=127';

export type Environment = Readonly<Record<string, string | undefined>>;

/** `signingThreads`: C_Sign calls that may block at once; libuv's pool must hold them all. */
export function childEnvironment(env: Environment, signingThreads: number): Record<string, string> {
  const kept = Object.entries(env).filter(
    (entry): entry is [string, string] =>
      entry[1] !== undefined && !SECRET.test(entry[0]) && !NODE_OWN.test(entry[0]),
  );
  return {
    GLIBC_TUNABLES,
    ...Object.fromEntries(kept),
    UV_THREADPOOL_SIZE: String(signingThreads + OTHER_THREADS),
  };
}
