// Ed25519 verification (RFC 8032 §5.1.7), one by one and in batches. The loader feeds the message between the steps. The
// equation is checked with the cofactor, 8 S B = 8 R + 8 k A.

import { copy32, equal32 } from '../bytes';
import { sha512Final, sha512Init, sha512Update } from '../hash/sha512';
import { ED25519_EDDSA, EXTRA, OK, PUBLIC_KEY, REJECTED, SIGNATURE } from '../memory';
import { decodePairVarTime, decodeVarTime } from './decode';
import { isZero } from './field';
import { halveVarTime } from './half-size';
import { MAX_TERMS, addTermVarTime, finishSumVarTime, startSumVarTime } from './multi-scalar';
import { POINT_BYTES, Point } from './point';
import { LANE_POINT_BYTES, LanePoint, doubleLanes, joinLanes, splitLanes } from './point-lanes';
import { Scalar, isReducedVarTime, multiplyAdd, reduceDigest } from './scalar';
import { WEIGHT_WIDTH, weightVarTime } from './weight';

const S = changetype<Scalar>(SIGNATURE + 32);
const DIGEST: usize = ED25519_EDDSA; // 64
const CHALLENGE = changetype<Scalar>(memory.data(32, 16));
const KEY_SCALAR = changetype<Scalar>(memory.data(32, 16));
const R_SCALAR = changetype<Scalar>(memory.data(32, 16));
const ZERO = changetype<Scalar>(memory.data(32, 16));
const BASE_SCALAR = changetype<Scalar>(memory.data(32, 16));
const KEY_POINT = changetype<Point>(memory.data(<i32>POINT_BYTES, 16));
const R_POINT = changetype<Point>(memory.data(<i32>POINT_BYTES, 16));
// signatures in a row under one key
const RUN_KEY: usize = memory.data(32, 16);
const RUN_SCALAR = changetype<Scalar>(memory.data(32, 16));
const RUN_POINT = changetype<Point>(memory.data(<i32>POINT_BYTES, 16));
const SUM = changetype<LanePoint>(memory.data(<i32>LANE_POINT_BYTES, 16));
const SCRATCH = changetype<Point>(memory.data(<i32>POINT_BYTES, 16));

/** Verification of SIGNATURE under PUBLIC_KEY, first step: to be fed the message. */
export function ed25519VerifyStart(): void {
  sha512Init();
  sha512Update(SIGNATURE, 32);
  sha512Update(PUBLIC_KEY, 32);
}

/**
 * Second step. Without zip215, encodings that are not canonical and public keys of small order are rejected.
 *
 * With u = v k (mod L), 0 < v < L, what is checked is 8 (v S B - v R - u A) = 0, and that is 8 (S B - R - k A) = 0: the
 * orders of B and 8 A divide L, so 8 u A = 8 v k A, and multiplication by v is a bijection on the group of order L.
 */
export function ed25519VerifyFinish(zip215: bool): i32 {
  sha512Final(DIGEST);
  if (!decodeSignature(zip215)) return REJECTED;
  reduceDigest(CHALLENGE, DIGEST);
  const negative = halveVarTime(KEY_SCALAR, R_SCALAR, CHALLENGE);
  multiplyAdd(BASE_SCALAR, R_SCALAR, S, ZERO);
  startSumVarTime();
  addTermVarTime(KEY_SCALAR, KEY_POINT, !negative);
  addTermVarTime(R_SCALAR, R_POINT, true);
  finishSumVarTime(SUM, BASE_SCALAR);
  return hasSmallOrder(SUM) ? OK : REJECTED;
}

/** Whether PUBLIC_KEY encodes a point. */
export function ed25519IsPublicKey(zip215: bool): i32 {
  return decodeVarTime(KEY_POINT, PUBLIC_KEY, zip215) ? OK : REJECTED;
}

/** How many signatures one batch can take. */
export const ED25519_BATCH: i32 = MAX_TERMS / 2;

let inRun = false;

/** Begins a batch: 8 (sum z S) B = 8 sum (z R + z k A) with a random weight z for each signature. */
export function ed25519BatchStart(): void {
  startSumVarTime();
  memory.fill(changetype<usize>(BASE_SCALAR), 0, 32);
  inRun = false;
}

/**
 * Takes a signature, after ed25519VerifyStart and its message, by the rules of ed25519VerifyFinish; EXTRA has the random
 * bytes for z. Signatures in a row under one key have one term for it, (sum z k) A: modulo L, as 8 A has no other order.
 */
export function ed25519BatchAdd(zip215: bool): i32 {
  sha512Final(DIGEST);
  if (!decodeSignature(zip215)) return REJECTED;
  if (!inRun || equal32(RUN_KEY, PUBLIC_KEY) == 0) startRun();
  reduceDigest(CHALLENGE, DIGEST);
  weightVarTime(R_SCALAR, EXTRA);
  multiplyAdd(RUN_SCALAR, CHALLENGE, R_SCALAR, RUN_SCALAR);
  multiplyAdd(BASE_SCALAR, R_SCALAR, S, BASE_SCALAR);
  addTermVarTime(R_SCALAR, R_POINT, true, WEIGHT_WIDTH);
  return OK;
}

/** Whether all the signatures that were taken are valid. */
export function ed25519BatchFinish(): i32 {
  endRun();
  finishSumVarTime(SUM, BASE_SCALAR);
  return hasSmallOrder(SUM) ? OK : REJECTED;
}

function startRun(): void {
  endRun();
  copy32(RUN_KEY, PUBLIC_KEY);
  memory.copy(changetype<usize>(RUN_POINT), changetype<usize>(KEY_POINT), POINT_BYTES);
  memory.fill(changetype<usize>(RUN_SCALAR), 0, 32);
  inRun = true;
}

function endRun(): void {
  if (inRun) addTermVarTime(RUN_SCALAR, RUN_POINT, true);
  inRun = false;
}

/**
 * KEY_POINT and R_POINT, or false; also false where S is not below L. Without zip215, false too for encodings that are not
 * canonical and for public keys of small order.
 */
function decodeSignature(zip215: bool): bool {
  if (!isReducedVarTime(S) || !decodePairVarTime(KEY_POINT, PUBLIC_KEY, R_POINT, SIGNATURE, zip215)) return false;
  if (zip215) return true;
  joinLanes(SUM, KEY_POINT);
  return !hasSmallOrder(SUM);
}

/**
 * Whether 8p is the neutral element. Doubles p: the order of 2p divides 4 then, and the points of those orders have x = 0
 * or y = 0.
 */
function hasSmallOrder(p: LanePoint): bool {
  doubleLanes(p);
  splitLanes(SCRATCH.x, SCRATCH.y, SCRATCH.z, p);
  return isZero(SCRATCH.x) || isZero(SCRATCH.y);
}
