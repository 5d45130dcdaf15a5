// The whole ABI of the P-256 verifier, a module of its own: it is for Node.js alone, and its tables would be in the way of
// the curves. Inputs and outputs are in the buffers of memory.ts, whose addresses are exported as globals.

export { GROUP, KEY, KEYS, SIGNED, SIGNED_BYTES, TABLE_BYTES, TABLES, VERDICTS } from './memory';
export { p256Open, p256Verify } from './verify';
