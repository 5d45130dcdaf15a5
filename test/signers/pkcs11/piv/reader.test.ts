// The reader of the PIV tests against pcsc-lite: transactions, and who learns of a reset or a removal.

import { beforeEach, expect, it } from 'vitest';
import { Card } from '../../../fixtures/piv-card/card.js';
import { PcscError, READER_NAME, Reader, SCARD } from '../../../fixtures/piv-card/reader.js';

const GET_VERSION = Buffer.from('00fd000000', 'hex');
const SIGN = Buffer.from('0087119a027c00', 'hex');
let reader: Reader;
beforeEach(() => {
  reader = new Reader(new Card([5, 4, 3], 1));
});

const connect = () => reader.connect(READER_NAME);
const statusOf = (work: Promise<unknown>) =>
  work.then(
    () => 0,
    (error: PcscError) => error.status,
  );

it('gives the card to the others when a transaction ends, one after the other', async () => {
  const [first, second, third] = [connect(), connect(), connect()];
  const order: string[] = [];
  await reader.begin(first);
  const others = [
    reader.begin(second).then(() => order.push('second begins')),
    reader.transmit(third, GET_VERSION).then(() => order.push('third sends')),
  ];
  await reader.transmit(first, GET_VERSION);
  order.push('first ends');
  reader.end(first, false);
  await others[0];
  order.push('second ends');
  reader.end(second, false);
  await others[1];
  expect(order).toEqual(['first ends', 'second begins', 'second ends', 'third sends']);
});

it('lets one of many that wait begin', async () => {
  const first = connect();
  await reader.begin(first);
  const waiting = [connect(), connect(), connect()];
  const begun: number[] = [];
  const all = waiting.map(async (connection, i) => {
    await reader.begin(connection);
    begun.push(i);
    expect(begun).toHaveLength(i + 1);
    await reader.transmit(connection, GET_VERSION);
    expect(begun).toHaveLength(i + 1);
    reader.end(connection, false);
  });
  reader.end(first, false);
  await Promise.all(all);
  expect(begun).toEqual([0, 1, 2]);
});

it('tells the others of a reset until they reconnect', async () => {
  const [mine, other] = [connect(), connect()];
  reader.reconnect(mine, true);
  expect(await statusOf(reader.begin(mine))).toBe(0);
  reader.end(mine, false);
  expect(await statusOf(reader.begin(other))).toBe(SCARD.RESET_CARD);
  expect(await statusOf(reader.transmit(other, GET_VERSION))).toBe(SCARD.RESET_CARD);
  reader.reconnect(other, false);
  expect(await statusOf(reader.begin(other))).toBe(0);
});

it('tells everybody of a removal, also those who wait or sign', async () => {
  const [mine, other] = [connect(), connect()];
  await reader.begin(mine);
  reader.setSignatureDelay(600_000);
  const waits = statusOf(reader.begin(other));
  const signs = statusOf(reader.transmit(mine, SIGN));
  reader.remove();
  expect([await waits, await signs]).toEqual([SCARD.REMOVED_CARD, SCARD.REMOVED_CARD]);
  expect(() => connect()).toThrow(new PcscError(SCARD.NO_SMARTCARD));
  reader.insert();
  expect(await statusOf(reader.begin(mine))).toBe(SCARD.REMOVED_CARD);
  expect(await statusOf(reader.begin(connect()))).toBe(0);
});

it('goes with the card where they are one', async () => {
  const mine = connect();
  reader.unplug();
  expect(reader.names).toEqual([]);
  expect(await statusOf(reader.begin(mine))).toBe(SCARD.INVALID_VALUE);
  expect(() => connect()).toThrow(new PcscError(SCARD.UNKNOWN_READER));
  reader.plug();
  expect(await statusOf(reader.begin(connect()))).toBe(0);
});

it('resets the card where a client dies in a transaction, and else leaves it', async () => {
  const [dead, other] = [connect(), connect()];
  reader.abandon(dead);
  expect(await statusOf(reader.begin(other))).toBe(0);
  const [waiting, dying] = [connect(), other];
  const begins = statusOf(reader.begin(waiting));
  reader.abandon(dying);
  expect(await begins).toBe(SCARD.RESET_CARD);
});

it('ends a signature under way when signatures take another time', async () => {
  const mine = connect();
  reader.setSignatureDelay(600_000);
  const signs = statusOf(reader.transmit(mine, SIGN));
  await new Promise(setImmediate);
  reader.setSignatureDelay(0);
  expect(await signs).toBe(0);
});
