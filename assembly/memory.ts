// The memory map: everything is static, nothing is allocated and the memory never grows.
//
// Whatever can hold a secret lies in one range, SECRETS, and message bytes pass through MESSAGE right after it, so that the
// loader can wipe both with a single fill after every call, also after a trap; signing many messages needs more, which is
// BATCH_SECRETS. Tables and the scratch space of verification hold public values only and stay.

/** Why a call did not give a result. The loader turns these into errors or `false`. */
export const OK: i32 = 0;
export const REJECTED: i32 = 1;

// These two come first, because low addresses are short in the code.
export const SECRETS_BYTES: i32 = 9088;
export const SECRETS: usize = memory.data(9088, 64);

/** A message enters in pieces of at most this many bytes. */
export const MESSAGE_BYTES: i32 = 65536;
export const MESSAGE: usize = memory.data(65536, 64);

// Input and output, shared by the curves.
export const SECRET_KEY: usize = SECRETS; // 32: seed (Ed25519) or big-endian scalar (secp256k1)
export const PUBLIC_KEY: usize = SECRETS + 64; // 32, 33 or 65
export const SIGNATURE: usize = SECRETS + 144; // 64 or 65
export const EXTRA: usize = SECRETS + 224; // 32: extra entropy, auxiliary randomness, batch coefficient
export const PREPARED_KEY: usize = SECRETS + 256; // 128: what prepare() keeps outside

// Each of these is carved up by the file that owns it.
export const SHA512_SPACE: usize = SECRETS + 384; // 256
export const MODINV_SPACE: usize = SECRETS + 640; // 384
export const ED25519_FIELD: usize = SECRETS + 1024; // 256
export const ED25519_POINT: usize = SECRETS + 1280; // 640
export const ED25519_MULT: usize = SECRETS + 1920; // 512
export const ED25519_EDDSA: usize = SECRETS + 2432; // 256
export const ED25519_PAIR: usize = SECRETS + 2688; // 1408
export const SECP256K1_SPACE: usize = SECRETS + 4096; // 4096
export const SHA256_SPACE: usize = SECRETS + 8192; // 512
export const MODINV_SECOND_SPACE: usize = SECRETS + 8704; // 384

/** Scratch of a batch of signatures, secret too; apart because it is large: the loader wipes it after batches alone. */
export const BATCH_SECRETS_BYTES: i32 = 65536;
export const BATCH_SECRETS: usize = memory.data(65536, 64);

/** How many signatures are made together. */
export const BATCH: i32 = 64;
export const BATCH_SIGNATURES: usize = BATCH_SECRETS; // 4160: 64 or 65 bytes each, one after the other
export const ED25519_BATCH_SPACE: usize = BATCH_SECRETS + 4160; // 14336
export const SECP256K1_BATCH_SPACE: usize = BATCH_SECRETS + 4160; // 61312

/** Where tables are computed: a field element for each of at most 1344 entries. Public. */
export const TABLE_SCRATCH: usize = memory.data(48384, 64);

/** Ends the call where an assertion failed (debug build only); without a message, so that nothing leaks through it. */
export function trap(message: string | null, file: string | null, line: u32, column: u32): void {
  unreachable();
}
