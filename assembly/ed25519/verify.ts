// Ed25519 verification (RFC 8032 §5.1.7), one by one and in batches. The loader feeds the message between the steps. The
// equation is checked with the cofactor, 8 S B = 8 R + 8 k A.

import { copy32 } from '../bytes';
import { sha512Final, sha512Init, sha512Update } from '../hash/sha512';
import { ED25519_EDDSA, EXTRA, OK, PUBLIC_KEY, REJECTED, SIGNATURE } from '../memory';
import { MAX_TERMS, addTermVarTime, finishSumVarTime, startSumVarTime } from './multi-scalar';
import { POINT_BYTES, Point, addPoint, copyPoint, decodeVarTime, doubleWithoutT, isIdentity, negate } from './point';
import { Scalar, isReducedVarTime, multiplyAdd, reduceDigest } from './scalar';

const S = changetype<Scalar>(SIGNATURE + 32);
const DIGEST: usize = ED25519_EDDSA; // 64
const CHALLENGE = changetype<Scalar>(memory.data(32, 16));
const COEFFICIENT = changetype<Scalar>(memory.data(32, 16));
const ZERO = changetype<Scalar>(memory.data(32, 16));
const BASE_SCALAR = changetype<Scalar>(memory.data(32, 16));
const KEY_POINT = changetype<Point>(memory.data(<i32>POINT_BYTES, 16));
const R_POINT = changetype<Point>(memory.data(<i32>POINT_BYTES, 16));
const SUM = changetype<Point>(memory.data(<i32>POINT_BYTES, 16));
const SCRATCH = changetype<Point>(memory.data(<i32>POINT_BYTES, 16));

/** Verification of SIGNATURE under PUBLIC_KEY, first step: to be fed the message. */
export function ed25519VerifyStart(): void {
  sha512Init();
  sha512Update(SIGNATURE, 32);
  sha512Update(PUBLIC_KEY, 32);
}

/** Second step. Without zip215, encodings that are not canonical and public keys of small order are rejected. */
export function ed25519VerifyFinish(zip215: bool): i32 {
  sha512Final(DIGEST);
  if (!decodeSignature(zip215)) return REJECTED;
  if (!zip215 && isSmallOrder(KEY_POINT)) return REJECTED;
  reduceDigest(CHALLENGE, DIGEST);
  negate(KEY_POINT);
  startSumVarTime();
  addTermVarTime(CHALLENGE, KEY_POINT);
  finishSumVarTime(SUM, S);
  negate(R_POINT);
  addPoint(SUM, R_POINT);
  return isSmallOrder(SUM) ? OK : REJECTED;
}

/** Whether PUBLIC_KEY encodes a point. */
export function ed25519IsPublicKey(zip215: bool): i32 {
  return decodeVarTime(KEY_POINT, PUBLIC_KEY, zip215) ? OK : REJECTED;
}

/** How many signatures one batch can take. */
export const ED25519_BATCH: i32 = MAX_TERMS / 2;

/** Begins a batch: 8 (sum z S) B = 8 sum (z R + z k A) with a random z of 128 bits for each signature. */
export function ed25519BatchStart(): void {
  startSumVarTime();
  memory.fill(changetype<usize>(BASE_SCALAR), 0, 32);
}

/** Takes a signature, after ed25519VerifyStart and its message, by the rules of ZIP 215; z is in EXTRA. */
export function ed25519BatchAdd(): i32 {
  sha512Final(DIGEST);
  if (!decodeSignature(true)) return REJECTED;
  copy32(changetype<usize>(COEFFICIENT), EXTRA);
  COEFFICIENT.w2 = 0;
  COEFFICIENT.w3 = 0;
  multiplyAdd(BASE_SCALAR, COEFFICIENT, S, BASE_SCALAR);
  reduceDigest(CHALLENGE, DIGEST);
  multiplyAdd(CHALLENGE, CHALLENGE, COEFFICIENT, ZERO);
  negate(KEY_POINT);
  negate(R_POINT);
  addTermVarTime(CHALLENGE, KEY_POINT);
  addTermVarTime(COEFFICIENT, R_POINT);
  return OK;
}

/** Whether all the signatures that were taken are valid. */
export function ed25519BatchFinish(): i32 {
  finishSumVarTime(SUM, BASE_SCALAR);
  return isSmallOrder(SUM) ? OK : REJECTED;
}

/** KEY_POINT and R_POINT, or false; also false where S is not below L. */
function decodeSignature(zip215: bool): bool {
  return (
    isReducedVarTime(S) && decodeVarTime(KEY_POINT, PUBLIC_KEY, zip215) && decodeVarTime(R_POINT, SIGNATURE, zip215)
  );
}

/** Whether 8p is the neutral element. */
function isSmallOrder(p: Point): bool {
  copyPoint(SCRATCH, p);
  doubleWithoutT(SCRATCH);
  doubleWithoutT(SCRATCH);
  doubleWithoutT(SCRATCH);
  return isIdentity(SCRATCH);
}
