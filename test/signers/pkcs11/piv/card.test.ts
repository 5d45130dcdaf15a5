// The card of the PIV tests against SP 800-73-4, by APDUs, with OpenSSL (node:crypto) as the judge of what it signs.

import {
  createCipheriv,
  createHash,
  createPublicKey,
  randomBytes,
  verify,
  X509Certificate,
} from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import { Card, OTP_AID } from '../../../fixtures/piv-card/card.js';
import { KeyPair, type PivAlgorithm } from '../../../fixtures/piv-card/key-pair.js';
import { DEFAULT_MANAGEMENT_KEY } from '../../../fixtures/piv-card/management-key.js';
import { findTlv, tlv } from '../../../fixtures/piv-card/tlv.js';

const SERIAL = 12345678;
const PIV_AID = Buffer.from('a000000308', 'hex');
let card: Card;

beforeEach(() => {
  card = newCard([5, 4, 3]);
});

function newCard(firmware: readonly [number, number, number]): Card {
  const made = new Card(firmware, SERIAL);
  made.piv.keys.put(0x9a, KeyPair.generate('p256'));
  made.piv.keys.put(0x9c, KeyPair.generate('p256'));
  made.piv.keys.put(0x9e, KeyPair.generate('p256'));
  made.transmit(apdu(0xa4, 4, 0, PIV_AID));
  return made;
}

function apdu(ins: number, p1: number, p2: number, data: Uint8Array = Buffer.alloc(0)): Buffer {
  return Buffer.from([0, ins, p1, p2, ...(data.length > 0 ? [data.length, ...data] : []), 0]);
}

/** The answer with what GET RESPONSE fetches of it. */
function exchange(command: Buffer): { statusWord: string; data: Buffer } {
  let answer = card.transmit(command);
  let data = answer.subarray(0, -2);
  while (answer.at(-2) === 0x61) {
    answer = card.transmit(apdu(0xc0, 0, 0));
    data = Buffer.concat([data, answer.subarray(0, -2)]);
  }
  return { statusWord: answer.subarray(-2).toString('hex'), data };
}

const verifyPin = (pin: string) =>
  exchange(apdu(0x20, 0, 0x80, Buffer.from(pin.padEnd(8, '\u00ff'), 'latin1')));
const signTemplate = (input: Buffer) => tlv(0x7c, tlv(0x82), tlv(0x81, input));
const signWith = (slot: number, digest: Buffer, algorithm = 0x11) =>
  exchange(apdu(0x87, algorithm, slot, signTemplate(digest)));
const status = (slot: number) => signWith(slot, randomBytes(32)).statusWord;
const certificateOf = (slot: number) => new X509Certificate(exchange(apdu(0xf9, slot, 0)).data);

function publicKeyOf(slot: number) {
  return createPublicKey({ key: card.piv.keys.at(slot).key.spki, format: 'der', type: 'spki' });
}

function signatureIn(data: Buffer): Buffer {
  return findTlv(findTlv(data, 0x7c)!, 0x82)!;
}

describe('PIN', () => {
  it('has three tries, which a right one gives back, and is blocked after the third wrong one', () => {
    expect(exchange(apdu(0x20, 0, 0x80)).statusWord).toBe('63c3');
    expect(['000000', '000001'].map((pin) => verifyPin(pin).statusWord)).toEqual(['63c2', '63c1']);
    expect(verifyPin('123456').statusWord).toBe('9000');
    const wrong = ['000000', '000001', '000002', '123456'];
    expect(wrong.map((pin) => verifyPin(pin).statusWord)).toEqual(['63c2', '63c1', '6983', '6983']);
    expect(card.piv.pin).toMatchObject({ presented: 7, refused: 5, triesLeft: 0 });
  });

  it('is not counted where only its state is asked for or its length is wrong', () => {
    exchange(apdu(0x20, 0, 0x80));
    expect(exchange(apdu(0x20, 0, 0x80, Buffer.from('123456'))).statusWord).toBe('6a80');
    expect(card.piv.pin).toMatchObject({ presented: 0, triesLeft: 3 });
  });

  it('is changed with the old one, and unblocked with the PUK', () => {
    const field = (text: string) => Buffer.from(text.padEnd(8, '\u00ff'), 'latin1');
    const change = (from: string, to: string) => apdu(0x24, 0, 0x80, Buffer.concat([field(from), field(to)]));
    expect(exchange(change('999999', '654321')).statusWord).toBe('63c2');
    expect(exchange(change('123456', '654321')).statusWord).toBe('9000');
    for (const _ of [1, 2, 3]) verifyPin('123456');
    const unblock = apdu(0x2c, 0, 0x80, Buffer.concat([field('12345678'), field('111111')]));
    expect(exchange(unblock).statusWord).toBe('9000');
    expect(verifyPin('111111').statusWord).toBe('9000');
  });
});

describe('a signature', () => {
  it('wants the PIN once in 9a, right before it in 9c, never in 9e', () => {
    expect([status(0x9a), status(0x9c), status(0x9e)]).toEqual(['6982', '6982', '9000']);
    verifyPin('123456');
    expect([status(0x9c), status(0x9c)]).toEqual(['9000', '6982']);
    expect([status(0x9a), status(0x9a), status(0x9c)]).toEqual(['9000', '9000', '6982']);
    verifyPin('123456');
    exchange(apdu(0xfd, 0, 0));
    expect(status(0x9c)).toBe('6982');
  });

  it('is refused again after a reset, another application, or the end of the PIN’s validity', () => {
    const ends = [
      () => card.reset(),
      () => card.transmit(apdu(0xa4, 4, 0, OTP_AID)),
      () => card.transmit(apdu(0x20, 0xff, 0x80)),
    ];
    for (const end of ends) {
      verifyPin('123456');
      expect(status(0x9a)).toBe('9000');
      end();
      card.transmit(apdu(0xa4, 4, 0, PIV_AID));
      expect(status(0x9a)).toBe('6982');
    }
  });

  it('stays allowed where PIV is selected again, or what is not there', () => {
    verifyPin('123456');
    expect(exchange(apdu(0xa4, 4, 0, PIV_AID)).statusWord).toBe('9000');
    expect(exchange(apdu(0xa4, 4, 0, Buffer.from('a0000000031010', 'hex'))).statusWord).toBe('6a82');
    expect(status(0x9a)).toBe('9000');
  });

  it.each<[PivAlgorithm, number, string | null, number]>([
    ['p256', 0x11, 'sha256', 32],
    ['p384', 0x14, 'sha384', 48],
    ['ed25519', 0xe0, null, 77],
  ])('by a %s key is one for OpenSSL', (algorithm, byte, hash, length) => {
    card = newCard([5, 7, 1]);
    card.piv.keys.put(0x9e, KeyPair.generate(algorithm));
    for (let i = 0; i < 20; i++) {
      const message = randomBytes(length);
      const input = hash ? createHash(hash).update(message).digest() : message;
      const signature = signatureIn(signWith(0x9e, input, byte).data);
      expect(verify(hash, message, publicKeyOf(0x9e), signature)).toBe(true);
    }
    expect(card.piv.keys.signCount).toBe(20);
  });

  it('is refused for another algorithm, too long an input, or no key', () => {
    expect(signWith(0x9e, randomBytes(32), 0x14).statusWord).toBe('6a86');
    expect(signWith(0x9e, randomBytes(33)).statusWord).toBe('6a80');
    expect(signWith(0x82, randomBytes(32)).statusWord).toBe('6a88');
    expect(card.piv.keys.signCount).toBe(0);
  });
});

describe('commands', () => {
  it('come in parts and in the extended form', () => {
    const template = signTemplate(randomBytes(32));
    const [head, tail] = [template.subarray(0, 10), template.subarray(10)];
    const first = Buffer.from([0x10, 0x87, 0x11, 0x9e, head.length, ...head]);
    expect(exchange(first).statusWord).toBe('9000');
    expect(exchange(apdu(0x87, 0x11, 0x9e, tail)).statusWord).toBe('9000');
    const extended = Buffer.from([0, 0x87, 0x11, 0x9e, 0, 0, template.length, ...template, 0, 0]);
    expect(exchange(extended).statusWord).toBe('9000');
  });

  it.each([
    ['no header', '0087'],
    ['data that is cut short', '0087119e2001'],
    ['a template that is cut short', '0087119e037c2081'],
    ['an unknown instruction', '00ee000000'],
    ['an answer that nobody waits for', '00c0000000'],
  ])('with %s get a status word', (_, hex) => {
    expect(card.transmit(Buffer.from(hex, 'hex')).toString('hex')).toMatch(/^6[0-9a-f]{3}$/);
  });

  it('that change keys or objects want the management key', () => {
    const generate = () => exchange(apdu(0x47, 0, 0x82, tlv(0xac, tlv(0x80, [0x11]))));
    expect(generate().statusWord).toBe('6982');
    const challenge = () => {
      const { data } = exchange(apdu(0x87, 3, 0x9b, tlv(0x7c, tlv(0x81))));
      return findTlv(findTlv(data, 0x7c)!, 0x81)!;
    };
    const respond = (response: Buffer) => exchange(apdu(0x87, 3, 0x9b, tlv(0x7c, tlv(0x82, response))));
    challenge();
    expect([respond(randomBytes(8)).statusWord, generate().statusWord]).toEqual(['6982', '6982']);
    const encrypt = createCipheriv('des-ede3', Buffer.from(DEFAULT_MANAGEMENT_KEY, 'hex'), null);
    expect(respond(encrypt.update(challenge())).statusWord).toBe('9000');
    const { data } = generate();
    expect(findTlv(findTlv(data, 0x7f49)!, 0x86)).toEqual(card.piv.keys.at(0x82).key.publicPoint);
    card.reset();
    card.transmit(apdu(0xa4, 4, 0, PIV_AID));
    expect(generate().statusWord).toBe('6982');
  });
});

describe('attestation', () => {
  it('leads from the key over f9 to the root, and says what the key is', () => {
    const root = new X509Certificate(card.piv.attester.rootCertificate);
    const stored = findTlv(
      findTlv(exchange(apdu(0xcb, 0x3f, 0xff, tlv(0x5c, [0x5f, 0xff, 0x01]))).data, 0x53)!,
      0x70,
    )!;
    const attester = new X509Certificate(stored);
    const leaf = certificateOf(0x9c);
    expect([
      leaf.verify(attester.publicKey),
      attester.verify(root.publicKey),
      root.verify(root.publicKey),
    ]).toEqual([true, true, true]);
    expect([leaf.checkIssued(attester), attester.checkIssued(root), attester.ca, leaf.ca]).toEqual([
      true,
      true,
      true,
      false,
    ]);
    expect(leaf.subject).toBe('CN=YubiKey PIV Attestation 9c');
    expect(leaf.publicKey.equals(publicKeyOf(0x9c))).toBe(true);
    const extension = (last: string, value: string) =>
      Buffer.from(`2b0601040182c40a03${last}${value}`, 'hex');
    expect(leaf.raw.includes(extension('03', '0403050403'))).toBe(true);
    expect(leaf.raw.includes(extension('07', '0406020400bc614e'))).toBe(true);
    expect(leaf.raw.includes(extension('08', '04020301'))).toBe(true);
  });

  it('is refused for a key that came from outside, and unknown before firmware 4.3', () => {
    card.piv.keys.put(0x9a, KeyPair.generate('p256'), { imported: true });
    expect(exchange(apdu(0xf9, 0x9a, 0)).statusWord).toBe('6a80');
    card = newCard([4, 2, 8]);
    expect(exchange(apdu(0xf9, 0x9a, 0)).statusWord).toBe('6d00');
  });
});
