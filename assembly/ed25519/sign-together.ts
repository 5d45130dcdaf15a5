// Signing many messages with PREPARED_KEY (RFC 8032 §5.1.6): the points R are encoded with a single inversion, by
// Montgomery's trick. Z is never 0, the formulas being complete, and the steps are the same whatever the key.
//
// MESSAGE holds the messages side by side: both hashes of a message read the same copy.

import { sha512Update } from '../hash/sha512';
import { BATCH, BATCH_SIGNATURES, ED25519_BATCH_SPACE, ED25519_EDDSA, MESSAGE, MESSAGE_BYTES } from '../memory';
import { completeSignature, ed25519SignStart, startChallenge, takeNonce } from './eddsa';
import { invert } from './field';
import { Field, copy, mul } from './field-kernels';
import { multiplyBase } from './fixed-base';
import { Point, encodeWithInverse } from './point';
import { Scalar } from './scalar';

@unmanaged
@final
class Signing {
  @inline get nonce(): Scalar { return changetype<Scalar>(changetype<usize>(this)); }
  /** The nonce times the base point. */
  @inline get point(): Point { return changetype<Point>(changetype<usize>(this) + 32); }
  /** Z of this point and all before it, multiplied. */
  @inline get product(): Field { return changetype<Field>(changetype<usize>(this) + 176); }
  @inline get message(): usize { return load<usize>(changetype<usize>(this), 212); }
  @inline set message(address: usize) { store<usize>(changetype<usize>(this), address, 212); }
  @inline get length(): i32 { return load<i32>(changetype<usize>(this), 216); }
  @inline set length(bytes: i32) { store<i32>(changetype<usize>(this), bytes, 216); }
}
const SIGNING_BYTES = 224;
const END: usize = MESSAGE + MESSAGE_BYTES;

const INVERSE = changetype<Field>(ED25519_EDDSA + 96); // 36, where a single signature has its point
const Z_INVERSE = changetype<Field>(ED25519_EDDSA + 136); // 36

let count: i32 = 0;
let free: usize = 0;

// @ts-ignore: decorator
@inline
function signing(i: i32): Signing {
  return changetype<Signing>(ED25519_BATCH_SPACE + SIGNING_BYTES * i);
}

// @ts-ignore: decorator
@inline
function signature(i: i32): usize {
  return BATCH_SIGNATURES + 64 * i;
}

export function ed25519SignTogetherStart(): void {
  count = 0;
  free = MESSAGE;
}

/** Where the next message is to be put, or 0 if it does not fit any more. */
export function ed25519SignTogetherAdd(length: i32): usize {
  if (count == BATCH || <usize>length > END - free) return 0;
  const next = signing(count++);
  next.message = free;
  next.length = length;
  free += length;
  return next.message;
}

/** BATCH_SIGNATURES = those of the messages. */
export function ed25519SignTogetherFinish(): void {
  for (let i = 0; i < count; i++) commit(signing(i));
  encodeCommitments();
  for (let i = 0; i < count; i++) respond(signature(i), signing(i));
}

function commit(item: Signing): void {
  ed25519SignStart();
  sha512Update(item.message, item.length);
  takeNonce(item.nonce);
  multiplyBase(item.point, item.nonce);
}

function encodeCommitments(): void {
  if (count == 0) return;
  copy(signing(0).product, signing(0).point.z);
  for (let i = 1; i < count; i++) mul(signing(i).product, signing(i - 1).product, signing(i).point.z);
  invert(INVERSE, signing(count - 1).product);
  for (let i = count - 1; i > 0; i--) {
    const item = signing(i);
    mul(Z_INVERSE, INVERSE, signing(i - 1).product);
    mul(INVERSE, INVERSE, item.point.z);
    encodeWithInverse(signature(i), item.point, Z_INVERSE);
  }
  encodeWithInverse(signature(0), signing(0).point, INVERSE);
}

function respond(signature: usize, item: Signing): void {
  startChallenge(signature);
  sha512Update(item.message, item.length);
  completeSignature(signature, item.nonce);
}
