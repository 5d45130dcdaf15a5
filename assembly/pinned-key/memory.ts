// The memory of a verifier: everything in it is public. All static, nothing is allocated and it never grows; pages
// that no key has used are not backed by memory.

/** How many signatures are verified together at most. */
export const GROUP: i32 = 32;

/** A public key: x and y, big-endian. */
export const KEY: usize = memory.data(64, 16);
/** For each signature its digest, r and s, big-endian. Overwritten: s with what the curve's `accept` makes of it. */
export const SIGNED: usize = memory.data(3072, 16); // GROUP * SIGNED_BYTES
export const SIGNED_BYTES: usize = 96;
/** For each signature 0 where it is not valid, else what the curve's `accept` says. */
export const VERDICTS: usize = memory.data(32, 16);

/** Keys whose tables are in memory at a time; the table of G is beside them. */
export const KEYS: i32 = 8;
export const TABLE_BYTES: usize = 294912; // table.ts
export const TABLES: usize = memory.data(2359296, 64); // KEYS * TABLE_BYTES
export const GENERATOR_TABLE: usize = memory.data(294912, 64);
