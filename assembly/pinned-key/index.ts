// The whole ABI of a verifier of ECDSA signatures under public keys that stay the same, of the curve that curve.ts names. It
// is a module of its own, for Node.js alone: its tables would be in the way of the curves. Inputs and outputs are in the
// buffers of memory.ts, whose addresses are exported as globals.

export { GROUP, KEY, KEYS, SIGNED, SIGNED_BYTES, TABLE_BYTES, TABLES, VERDICTS } from './memory';
export { openKey, verifyGroup } from './verify';
