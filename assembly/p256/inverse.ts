// Inverses modulo the prime and the order of P-256: ../modinv.ts in variable time, for moduli none of whose limbs is known
// to be zero.

import {
  combine, D, divideStepsVarTime, E, F, finish, G, INVERSE, isZeroVarTime, MASK, MATRIX, start, SWAP, TOP,
} from '../modinv';
import { MODINV_SPACE } from '../memory';

// Limbs of the modulus, then its inverse modulo 2^30.
export const MODULUS_P = memory.data<i32>([-1, 0, 0, 64, 0, 0, 4096, -16384, 0x10000, 0x3fffffff]);
export const MODULUS_N = memory.data<i32>([
  0x3c632551, 0x0ee72b0b, 0x3179e84f, 0x39beab69, 0x3fffffbc, 0x3fffffff, 0xfff, 0x3fffc000, 0xffff, 0x11ff43b1,
]);

/** out = 1/x mod m, for x below 2^256. */
export function modInverseVarTime(out: usize, x: usize, m: usize): void {
  start(MODINV_SPACE, x, m);
  let now: usize = 0;
  let eta = -1;
  while (!isZeroVarTime(MODINV_SPACE + G + now)) {
    eta = divideStepsVarTime(eta, load<i32>(MODINV_SPACE + F + now), load<i32>(MODINV_SPACE + G + now));
    applyMatrix(now, m);
    now ^= SWAP;
  }
  finish(out, MODINV_SPACE, now, m);
}

function applyMatrix(now: usize, m: usize): void {
  const u = <i64>load<i32>(MODINV_SPACE, MATRIX), v = <i64>load<i32>(MODINV_SPACE, MATRIX + 4);
  const q = <i64>load<i32>(MODINV_SPACE, MATRIX + 8), r = <i64>load<i32>(MODINV_SPACE, MATRIX + 12);
  const before = MODINV_SPACE + now, after = MODINV_SPACE + (now ^ SWAP);
  combine(after + F, u, before + F, v, before + G);
  combine(after + G, q, before + F, r, before + G);
  combineModulo(after + D, u, before + D, v, before + E, m);
  combineModulo(after + E, q, before + D, r, before + E, m);
}

/** out = (a x + b y + k m) / 2^30, where k makes the division exact and brings x, y in (-2m, m) back there. */
function combineModulo(out: usize, a: i64, x: usize, b: i64, y: usize, m: usize): void {
  let sum = a * load<i32>(x) + b * load<i32>(y);
  const lift = (<i32>a & (load<i32>(x, TOP) >> 31)) + (<i32>b & (load<i32>(y, TOP) >> 31));
  const k = <i64>(lift - ((load<i32>(m, INVERSE) * <i32>sum + lift) & MASK));
  sum = (sum + k * load<i32>(m)) >> 30;
  for (let at: usize = 0; at < TOP; at += 4) {
    sum += a * load<i32>(x + at, 4) + b * load<i32>(y + at, 4) + k * load<i32>(m + at, 4);
    store<i32>(out + at, <i32>sum & MASK);
    sum >>= 30;
  }
  store<i32>(out, <i32>sum, TOP);
}
