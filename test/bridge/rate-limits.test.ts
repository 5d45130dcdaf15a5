import { expect, it } from 'vitest';
import { RateLimits } from '../../src/bridge/rate-limits.js';
import { parseLine } from '../../src/protocol/authorized-clients.js';

const clientWith = (rate: string) => parseLine(`keys=*${rate} x25519 ${'A'.repeat(43)} laptop`).client!;

it('fills evenly, up to its count, and never beyond', () => {
  let now = 0;
  const rates = new RateLimits(() => now);
  const client = clientWith(',rate=10/s');
  expect(rates.take(client, 'a', 10)).toBe(0);
  expect(rates.take(client, 'a', 1)).toBe(100);
  now = 99;
  expect(rates.take(client, 'a', 1)).toBe(1);
  now = 100;
  expect(rates.take(client, 'a', 1)).toBe(0);
  now = 1_000_000;
  expect(rates.take(client, 'a', 10)).toBe(0);
  expect(rates.take(client, 'a', 1)).toBe(100);
  expect(rates.take(client, 'b', 10)).toBe(0);
});

it('takes all or nothing, and says what can never be', () => {
  const rates = new RateLimits(() => 0);
  const client = clientWith(',rate=5/m');
  expect(rates.take(client, 'a', 3)).toBe(0);
  expect(rates.take(client, 'a', 3)).toBe(12_000);
  expect(rates.take(client, 'a', 2)).toBe(0);
  expect(rates.take(client, 'a', 6)).toBe(Number.POSITIVE_INFINITY);
});

it('has no limit without rate=', () => {
  const rates = new RateLimits(() => 0);
  expect(rates.take(clientWith(''), 'a', 1_000_000)).toBe(0);
});
