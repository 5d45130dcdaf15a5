// The loader of the compiled verifiers of signatures under keys that stay the same (assembly/pinned-key), and the tables of
// keys in their memory: all of it public.
//
// Invariant: a key that verifies has its table of 288 KiB in a place of its curve's module. There are few places; a key
// that needs one takes that of a key which is no longer used, else that of the next one in turn, whose table is copied out
// and goes with its key. One instance for all keys of a curve: engines reserve gigabytes of addresses for each.

/** What assembly/pinned-key/index.ts exports. */
interface PinnedKeyExports {
  readonly memory: WebAssembly.Memory;
  readonly GROUP: WebAssembly.Global<'i32'>;
  readonly KEY: WebAssembly.Global<'i32'>;
  readonly KEYS: WebAssembly.Global<'i32'>;
  readonly SIGNED: WebAssembly.Global<'i32'>;
  readonly SIGNED_BYTES: WebAssembly.Global<'i32'>;
  readonly TABLES: WebAssembly.Global<'i32'>;
  readonly TABLE_BYTES: WebAssembly.Global<'i32'>;
  readonly VERDICTS: WebAssembly.Global<'i32'>;
  openKey(key: number): number;
  verifyGroup(key: number, count: number): void;
}

const OK = 0;
const DIGEST_BYTES = 32;
const SIGNATURE_BYTES = 64;
const NUMBER_BYTES = 32;

export interface SignedDigest {
  /** The digest of 32 bytes. */
  message: Uint8Array;
  /** r and s, 64 bytes, high-S or not. */
  signature: Uint8Array;
}

/**
 * What a curve's module says of a signature: 0 that it is not valid, else what `accept` of assembly/pinned-key says. s is
 * what `accept` left, and is overwritten by the next group.
 */
export type ReadVerdict<Verdict> = (code: number, { signature }: SignedDigest, s: Uint8Array) => Verdict;

/** A curve and the instance of its module, which is made for the first key. */
export class PinnedCurve<Verdict> {
  #loaded: PinnedKeyModule<Verdict> | undefined;

  /** @param base64 - the compiled module */
  constructor(
    readonly name: string,
    readonly base64: string,
    readonly read: ReadVerdict<Verdict>,
  ) {}

  get module(): PinnedKeyModule<Verdict> {
    this.#loaded ??= new PinnedKeyModule(this);
    return this.#loaded;
  }

  isLoaded(module: PinnedKeyModule<Verdict>): boolean {
    return this.#loaded === module;
  }

  /** A module that was left in the middle of its work, for want of stack, is not used again. */
  orForget<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      this.#loaded = undefined;
      throw error;
    }
  }
}

/** A public key with its table. */
export class PinnedKey<Verdict> {
  readonly #curve: PinnedCurve<Verdict>;
  readonly #point: Uint8Array;
  #place: Place<Verdict> | undefined;
  #table: Uint8Array | undefined;

  /** @param point - x and y, 32 bytes each; `RangeError` where they are no point of the curve */
  constructor(curve: PinnedCurve<Verdict>, point: Uint8Array) {
    this.#curve = curve;
    this.#point = point;
    this.#enter();
  }

  /** The verdict on each signature (SEC 1 §4.1.4), in a time that depends on them. */
  verify(group: readonly SignedDigest[]): Verdict[] {
    const place = this.#enter();
    const verdicts: Verdict[] = [];
    for (let start = 0; start < group.length; start += place.module.groupSize) {
      verdicts.push(...place.module.verify(place, group.slice(start, start + place.module.groupSize)));
    }
    return verdicts;
  }

  #enter(): Place<Verdict> {
    if (this.#place?.holds(this)) return this.#place;
    const place = this.#curve.module.freePlace();
    place.take(this, this.#table ?? this.#point);
    this.#place = place;
    return place;
  }

  /** What a place does before another key gets it. */
  static keepTable<Verdict>(key: PinnedKey<Verdict>, place: Place<Verdict>): void {
    key.#table ??= place.copy();
  }
}

/** Room for one table. */
class Place<Verdict> {
  #key: WeakRef<PinnedKey<Verdict>> | undefined;

  constructor(
    readonly module: PinnedKeyModule<Verdict>,
    readonly index: number,
  ) {}

  get isFree(): boolean {
    return this.#key?.deref() === undefined;
  }

  holds(key: PinnedKey<Verdict>): boolean {
    return this.module.isCurrent && this.#key?.deref() === key;
  }

  /** Lets the key that is here go, with its table, and takes another by its table or point. */
  take(key: PinnedKey<Verdict>, tableOrPoint: Uint8Array): void {
    const before = this.#key?.deref();
    if (before !== undefined) PinnedKey.keepTable(before, this);
    this.#key = undefined;
    this.module.open(this.index, tableOrPoint);
    this.#key = new WeakRef(key);
  }

  copy(): Uint8Array {
    return this.module.tableAt(this.index).slice();
  }
}

class PinnedKeyModule<Verdict> {
  readonly #curve: PinnedCurve<Verdict>;
  readonly #run: PinnedKeyExports;
  readonly #bytes: Uint8Array;
  readonly #places: readonly Place<Verdict>[];
  #turn = 0;

  constructor(curve: PinnedCurve<Verdict>) {
    this.#curve = curve;
    const { exports } = new WebAssembly.Instance(
      new WebAssembly.Module(Buffer.from(curve.base64, 'base64')),
      {},
    );
    this.#run = exports as unknown as PinnedKeyExports;
    this.#bytes = new Uint8Array(this.#run.memory.buffer); // it never grows
    this.#places = Array.from({ length: this.#run.KEYS.value }, (_, index) => new Place(this, index));
  }

  get groupSize(): number {
    return this.#run.GROUP.value;
  }

  get isCurrent(): boolean {
    return this.#curve.isLoaded(this);
  }

  freePlace(): Place<Verdict> {
    const free = this.#places.find((place) => place.isFree);
    if (free !== undefined) return free;
    this.#turn = (this.#turn + 1) % this.#places.length;
    return this.#places[this.#turn]!;
  }

  tableAt(index: number): Uint8Array {
    const start = this.#run.TABLES.value + index * this.#run.TABLE_BYTES.value;
    return this.#bytes.subarray(start, start + this.#run.TABLE_BYTES.value);
  }

  open(index: number, tableOrPoint: Uint8Array): void {
    if (tableOrPoint.length === this.#run.TABLE_BYTES.value) {
      this.tableAt(index).set(tableOrPoint);
      return;
    }
    this.#bytes.set(tableOrPoint, this.#run.KEY.value);
    const status = this.#curve.orForget(() => this.#run.openKey(index));
    if (status !== OK)
      throw new RangeError(`The ${this.#curve.name} public key is not a point of the curve.`);
  }

  verify({ index }: Place<Verdict>, group: readonly SignedDigest[]): Verdict[] {
    for (const [i, { message, signature }] of group.entries()) {
      if (message.length !== DIGEST_BYTES) throw new RangeError('A digest of 32 bytes is verified.');
      if (signature.length !== SIGNATURE_BYTES) throw new RangeError('A signature of 64 bytes is verified.');
      this.#bytes.set(message, this.#signedAt(i));
      this.#bytes.set(signature, this.#signedAt(i) + DIGEST_BYTES);
    }
    this.#curve.orForget(() => this.#run.verifyGroup(index, group.length));
    return group.map((signed, i) => {
      const s = this.#signedAt(i) + DIGEST_BYTES + NUMBER_BYTES;
      const code = this.#bytes[this.#run.VERDICTS.value + i]!;
      return this.#curve.read(code, signed, this.#bytes.subarray(s, s + NUMBER_BYTES));
    });
  }

  #signedAt(i: number): number {
    return this.#run.SIGNED.value + i * this.#run.SIGNED_BYTES.value;
  }
}
