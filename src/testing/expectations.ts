// Assertions of the conformance suite, which depend on no test runner.

/** A rule of the Signer contract that a signer broke. */
export class ConformanceError extends Error {
  override name = 'ConformanceError';
}

export function expectTrue(condition: boolean, rule: string): asserts condition {
  if (!condition) throw new ConformanceError(rule);
}

export function expectEqual(actual: unknown, expected: unknown, rule: string): void {
  expectTrue(Object.is(actual, expected), `${rule}: expected ${show(expected)}, got ${show(actual)}`);
}

export function expectSameBytes(actual: Uint8Array, expected: Uint8Array, rule: string): void {
  const same = actual.length === expected.length && actual.every((byte, i) => byte === expected[i]);
  expectTrue(same, `${rule}: the bytes differ`);
}

/** Plain `Uint8Array`s only: a Buffer has other methods (`slice` shares memory), so that code meets surprises. */
export function expectBytesOf(value: unknown, length: number, rule: string): asserts value is Uint8Array {
  const plain = Object.prototype.toString.call(value) === '[object Uint8Array]';
  expectTrue(plain && (value as object).constructor.name === 'Uint8Array', `${rule}: not a plain Uint8Array`);
  expectEqual((value as Uint8Array).length, length, `${rule}: length`);
}

/** The error that `call` rejects with. A throw instead of a rejection breaks the contract, and so does success. */
export async function rejectionOf(call: () => Promise<unknown>, what: string): Promise<unknown> {
  let promise: Promise<unknown>;
  try {
    promise = call();
  } catch (error) {
    throw new ConformanceError(`${what}: threw ${show(error)} at the call; errors arrive as rejections`);
  }
  expectTrue(typeof promise?.then === 'function', `${what}: did not return a promise`);
  let value: unknown;
  try {
    value = await promise;
  } catch (error) {
    return error;
  }
  throw new ConformanceError(`${what}: was accepted (gave ${typeof value}); it must be rejected`);
}

/** By name rather than instanceof, so that a signer from another realm or bundle conforms too. */
export async function expectRejection(
  call: () => Promise<unknown>,
  name: 'TypeError' | 'RangeError',
  what: string,
): Promise<void> {
  const error = await rejectionOf(call, what);
  expectTrue(
    error instanceof Error && error.name === name,
    `${what}: expected a ${name}, got ${show(error)}`,
  );
  expectTrue(error.message !== '', `${what}: the ${name} has no message`);
}

export async function expectCode(call: () => Promise<unknown>, code: string, what: string): Promise<void> {
  const error = await rejectionOf(call, what);
  expectTrue(error instanceof Error, `${what}: rejected with something that is not an Error`);
  expectEqual((error as { code?: unknown }).code, code, `${what}: code of ${show(error)}`);
  expectTrue(error.message !== '', `${what}: the error has no message`);
}

function show(value: unknown): string {
  if (value instanceof Error) return `${value.name} (${value.message})`;
  return typeof value === 'string' ? JSON.stringify(value) : String(value);
}
