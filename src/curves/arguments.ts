// Checks of the arguments that callers hand to the curves: a TypeError or a RangeError before any work.
// They look at the array's internal slots, so a subclass or a proxy that lies about its length is not believed.

const typedArray = Object.getPrototypeOf(Uint8Array.prototype) as object;
const tagOf = Object.getOwnPropertyDescriptor(typedArray, Symbol.toStringTag)!.get!;
const lengthGetter = Object.getOwnPropertyDescriptor(typedArray, 'length')!.get!;

/** Whether the value is a Uint8Array (a Buffer is one), also one of another realm. */
export function isBytes(value: unknown): value is Uint8Array {
  return tagOf.call(value) === 'Uint8Array';
}

export function lengthOf(bytes: Uint8Array): number {
  return lengthGetter.call(bytes) as number;
}

export function isBytesOfLength(value: unknown, length: number): value is Uint8Array {
  return isBytes(value) && lengthOf(value) === length;
}

export function checkBytes(value: unknown, name: string): asserts value is Uint8Array {
  if (!isBytes(value)) throw new TypeError(`${name} must be a Uint8Array, not ${describe(value)}`);
}

export function checkBytesOfLength(
  value: unknown,
  name: string,
  length: number,
): asserts value is Uint8Array {
  checkBytes(value, name);
  const actual = lengthOf(value);
  if (actual !== length) throw new RangeError(`${name} must be ${length} bytes long, not ${actual}`);
}

/** Any object will do; the caller of this function checks the fields that it reads. */
export function checkObject(value: unknown, name: string): asserts value is object {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new TypeError(`${name} must be an object, not ${describe(value)}`);
  }
}

export function checkOptions(value: unknown): asserts value is object {
  checkObject(value, 'options');
}

export function checkBoolean(value: unknown, name: string): asserts value is boolean {
  if (typeof value !== 'boolean') throw new TypeError(`${name} must be a boolean, not ${describe(value)}`);
}

/** Names the kind of value, never the value: it could be a key. */
function describe(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  return typeof value === 'object' ? 'another object' : `a value of type ${typeof value}`;
}
