// ECDSA signatures in DER: SEQUENCE { INTEGER r, INTEGER s } (SEC 1 §C.5, X.690 §8.3 and §10.1). Accepts exactly the
// one encoding of each pair of non-negative integers of at most 32 bytes.

const SEQUENCE = 0x30;
const INTEGER = 0x02;
const SCALAR_BYTES = 32;
/** Two integers of 33 bytes and three headers: all lengths take a single byte. */
const MAX_BYTES = 72;

/** r‖s (64 bytes, big-endian) as DER, in 8 to 72 bytes. */
export function encodeDer(compact: Uint8Array): Uint8Array {
  const integers = [
    ...encodeInteger(compact.subarray(0, SCALAR_BYTES)),
    ...encodeInteger(compact.subarray(SCALAR_BYTES)),
  ];
  return Uint8Array.of(SEQUENCE, integers.length, ...integers);
}

/** r‖s (64 bytes), or undefined if that is not what the bytes encode. The range of r and s is not checked here. */
export function decodeDer(der: Uint8Array): Uint8Array | undefined {
  if (der.length > MAX_BYTES || der[0] !== SEQUENCE || der[1] !== der.length - 2) return undefined;
  const r = integerAt(der, 2);
  if (r === undefined) return undefined;
  const s = integerAt(der, r.end);
  if (s === undefined || s.end !== der.length) return undefined;
  const compact = new Uint8Array(2 * SCALAR_BYTES);
  compact.set(r.magnitude, SCALAR_BYTES - r.magnitude.length);
  compact.set(s.magnitude, 2 * SCALAR_BYTES - s.magnitude.length);
  return compact;
}

function encodeInteger(scalar: Uint8Array): number[] {
  let start = 0;
  while (start < SCALAR_BYTES - 1 && scalar[start] === 0) start++;
  const magnitude = scalar.subarray(start);
  const sign = magnitude[0]! & 0x80 ? [0] : [];
  return [INTEGER, sign.length + magnitude.length, ...sign, ...magnitude];
}

/** The integer whose tag is at `start`, without its leading zero byte, and where it ends. */
function integerAt(der: Uint8Array, start: number): { magnitude: Uint8Array; end: number } | undefined {
  const length = der[start + 1];
  if (der[start] !== INTEGER || length === undefined || length === 0) return undefined;
  const end = start + 2 + length;
  if (end > der.length) return undefined;
  const content = der.subarray(start + 2, end);
  if (content[0]! & 0x80) return undefined; // negative
  if (content[0] === 0 && length > 1 && !(content[1]! & 0x80)) return undefined; // longer than needed
  const magnitude = content[0] === 0 ? content.subarray(1) : content;
  return magnitude.length > SCALAR_BYTES ? undefined : { magnitude, end };
}
