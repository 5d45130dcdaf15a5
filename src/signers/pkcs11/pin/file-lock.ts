// A lock between processes: a file that is there while it is held, and names its holder. Node has no flock(2).
// Invariant: a lock changes hands only by link(2), which fails where the name is taken, or, from a holder that has died, by
// rename(2) under the guard `<lock>.<nonce of the dead>`, which is a lock itself and which a holder takes to release its
// lock. So of many processes that find the dead holder, one takes its place, and none removes the lock of a living one.
// All names of a claim are one file: its time is the age of all of them, and by it a holder knows its lock.

import { randomBytes } from 'node:crypto';
import { link, open, readdir, readFile, rename, rm, stat, utimes } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { isProcessIdentity, lifeOf, ownIdentity, type ProcessIdentity } from './process-identity.js';

/** More than a login can take. An older lock, of a holder of whom nothing can be known, is taken over. */
const MAX_AGE_MS = 15 * 60_000;
const LONGEST_POLL_MS = 200;

interface Claim {
  nonce: string;
  holder: ProcessIdentity;
}

/** Thrown where others have held the lock for as long as this process was to wait. */
export class LockHeldError extends Error {
  constructor(
    readonly path: string,
    readonly pid: number | undefined,
  ) {
    super(`${path} is held`);
  }
}

/** The last one in line for each lock in this process. */
const queues = new Map<string, Promise<void>>();

/** Runs `work` while no other holds the lock at `path`, in this process or another. Rejects as the file system does. */
export function withFileLock<T>(path: string, waitMs: number, work: () => Promise<T>): Promise<T> {
  const before = queues.get(path) ?? Promise.resolve();
  const done = before.then(() => lockedWork(path, waitMs, work));
  const settled = done.then(
    () => {},
    () => {},
  );
  queues.set(path, settled);
  void settled.then(() => {
    if (queues.get(path) === settled) queues.delete(path);
  });
  return done;
}

async function lockedWork<T>(path: string, waitMs: number, work: () => Promise<T>): Promise<T> {
  const nonce = randomBytes(8).toString('hex');
  const claim = claimPath(path, nonce);
  try {
    await writeClaim(claim, { nonce, holder: await ownIdentity() });
    await waitFor(path, claim, waitMs);
    try {
      await sweep(path).catch(() => {});
      return await work();
    } finally {
      await release(path, claim, nonce);
    }
  } finally {
    await removeIfPossible(claim);
  }
}

/** On disk before it is a lock: after a power cut, a lock that says nothing would have to grow old first. */
async function writeClaim(path: string, claim: Claim): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    await file.writeFile(JSON.stringify(claim));
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Never rejects. Reads no file, for a process that can open no more must be able to release its locks. */
async function release(path: string, claim: string, nonce: string): Promise<void> {
  await makeYoung(claim).catch(() => {}); // the guard as well
  const guard = guardPath(path, nonce);
  const guarded = await linkedNew(claim, guard).catch(() => undefined);
  if (guarded === false) return; // another takes it over, because it was too old
  if (await isSameFile(claim, path)) await removeIfPossible(path);
  if (guarded) await removeIfPossible(guard);
}

async function isSameFile(a: string, b: string): Promise<boolean> {
  const [one, other] = await Promise.all([a, b].map((path) => stat(path).catch(() => undefined)));
  return one !== undefined && one.ino === other?.ino && one.dev === other.dev;
}

const makeYoung = (claim: string) => utimes(claim, new Date(), new Date());

/** What cannot be removed is taken over once this process has ended; the outcome of the work counts more. */
const removeIfPossible = (path: string) => rm(path, { force: true }).catch(() => {});

const claimPath = (lock: string, nonce: string) => `${lock}.${nonce}.claim`;
const guardPath = (lock: string, nonce: string) => `${lock}.${nonce}`;

async function waitFor(path: string, claim: string, waitMs: number): Promise<void> {
  const deadline = performance.now() + waitMs;
  for (let pollMs = 5; !(await take(path, claim)); pollMs = Math.min(pollMs * 2, LONGEST_POLL_MS)) {
    if (performance.now() > deadline) throw new LockHeldError(path, (await readClaim(path))?.holder.pid);
    await delay(pollMs);
    await makeYoung(claim); // the machine may have been asleep
  }
}

/** One attempt. */
async function take(path: string, claim: string): Promise<boolean> {
  if (await linkedNew(claim, path)) return true;
  const other = await readClaim(path);
  if (!(await isAbandoned(path, other))) return false;
  return takeOver(path, claim, other?.nonce ?? 'unreadable');
}

async function takeOver(path: string, claim: string, deadNonce: string): Promise<boolean> {
  const guard = guardPath(path, deadNonce);
  if (!(await take(guard, claim))) return false;
  try {
    // Between the look at the dead holder and the guard, another may have taken its place and left the guard again.
    const now = await readClaim(path);
    if ((now?.nonce ?? 'unreadable') !== deadNonce || !(await isAbandoned(path, now))) return false;
    await rm(`${guard}.next`, { force: true }); // of one who died here
    await link(claim, `${guard}.next`);
    await rename(`${guard}.next`, path);
    return true;
  } finally {
    await removeIfPossible(guard);
  }
}

async function linkedNew(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

async function isAbandoned(path: string, claim: Claim | undefined): Promise<boolean> {
  const life = claim === undefined ? 'unknown' : await lifeOf(claim.holder);
  if (life === 'dead') return true;
  // A living process may hold a lock too long by a worker thread that was ended.
  const made = await stat(path).catch(() => undefined);
  return made !== undefined && Date.now() - made.mtimeMs > MAX_AGE_MS;
}

/** What the file at `path` says; `undefined` where there is none, or none that can be read. */
async function readClaim(path: string): Promise<Claim | undefined> {
  try {
    const claim = JSON.parse(await readFile(path, 'utf8'));
    const valid = /^[0-9a-f]{16}$/.test(claim?.nonce) && isProcessIdentity(claim.holder);
    return valid ? claim : undefined;
  } catch {
    return undefined;
  }
}

/** Removes what processes left that died while they waited, took over or released. */
async function sweep(path: string): Promise<void> {
  for (const name of await readdir(dirname(path))) {
    if (!name.startsWith(`${basename(path)}.`)) continue;
    const left = join(dirname(path), name);
    if (await isAbandoned(left, await readClaim(left))) await removeIfPossible(left);
  }
}
