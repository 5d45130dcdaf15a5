import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromHex, utf8 } from '../../src/bytes.js';
import { decodeCbor, encodeCbor } from '../../src/protocol/cbor.js';
import {
  decodeBridgeMessage,
  decodePairingPayload,
  decodeRequest,
  encodedByteStringLength,
  encodeError,
  encodePairingPayload,
  encodeRequest,
  encodeResult,
  encodeWelcome,
  InvalidRequestError,
  type KeyInfo,
  longestByteString,
  MAX_BATCH_MESSAGES,
  type Op,
  type Request,
  type ResultAnswer,
  resultFields,
} from '../../src/protocol/messages.js';
import { ProtocolError } from '../../src/protocol/protocol-error.js';

const id = new Uint8Array(16).fill(0xab);
const data = utf8('data');
const signature = new Uint8Array(64).fill(1);
const keyInfo: KeyInfo = { name: 'treasury', algorithm: 'ed25519', spki: data, info: { place: 'token' } };

const requests: Request[] = [
  { id, op: 'keys' },
  { id, op: 'info', key: 'treasury' },
  { id, op: 'public-key', key: 'treasury' },
  { id, op: 'sign', key: 'treasury', data },
  { id, op: 'sign', key: 'treasury', data: new Uint8Array(32), prehashed: true },
  { id, op: 'sign-batch', key: 'treasury', data: [data, new Uint8Array(0)] },
];

describe('requests', () => {
  it.each(requests)('$op survives the way', (request) => {
    expect(decodeRequest(encodeRequest(request))).toEqual(request);
  });

  it.each<[string, Record<string, unknown>, string]>([
    ['unknown op', { id, op: 'approve' }, '"op" must be one of'],
    ['an op of Object.prototype', { id, op: 'constructor' }, '"op" must be one of'],
    ['no op', { id }, '"op" must be one of'],
    ['unknown field', { id, op: 'keys', secretlySent: 1 }, 'unknown field'],
    ['missing key', { id, op: 'info' }, '"key" is missing'],
    ['empty key', { id, op: 'info', key: '' }, '"key" must not be empty'],
    ['long key', { id, op: 'info', key: 'ü'.repeat(65) }, '"key" must be at most 128 bytes'],
    ['text for bytes', { id, op: 'sign', key: 'a', data: 'text' }, '"data" must be bytes'],
    ['list for bytes', { id, op: 'sign', key: 'a', data: [data] }, '"data" must be bytes'],
    ['null for bytes', { id, op: 'sign', key: 'a', data: null }, '"data" must be bytes'],
    ['false prehashed', { id, op: 'sign', key: 'a', data, prehashed: false }, '"prehashed" must be true'],
    ['no messages', { id, op: 'sign-batch', key: 'a', data: [] }, '"data" must not be empty'],
    ['a wrong message', { id, op: 'sign-batch', key: 'a', data: [data, 5] }, '"data.1" must be bytes'],
    [
      'too many messages',
      { id, op: 'sign-batch', key: 'a', data: Array(MAX_BATCH_MESSAGES + 1).fill(data) },
      '"data" must have at most 1024 messages',
    ],
  ])('%s can be answered with what is wrong', (_name, value, message) => {
    let error: unknown;
    try {
      decodeRequest(encodeCbor(value));
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(InvalidRequestError);
    expect((error as InvalidRequestError).id).toEqual(id);
    expect((error as Error).message).toContain(message);
    expect((error as Error).message).not.toContain('secretlySent');
  });

  it.each<[string, unknown]>([
    ['no id', { op: 'keys' }],
    ['a short id', { id: new Uint8Array(15), op: 'keys' }],
    ['a text id', { id: 'a'.repeat(16), op: 'keys' }],
  ])('%s ends the connection', (_name, value) => {
    expect(() => decodeRequest(encodeCbor(value as Record<string, unknown>))).toThrow(ProtocolError);
  });

  it('that are wrong are not encoded', () => {
    expect(() => encodeRequest({ id, op: 'sign', key: '', data })).toThrow(TypeError);
    expect(() => encodeRequest({ id: new Uint8Array(8), op: 'keys' })).toThrow(TypeError);
  });
});

describe('bridge messages', () => {
  it('the welcome survives the way', () => {
    const { spki: _, ...withoutSpki } = keyInfo;
    const welcome = {
      client: 'laptop',
      version: '0.1.0',
      maxRequestBytes: 1_048_576,
      keys: [keyInfo, { ...withoutSpki, name: 'other', algorithm: 'p256' as const, info: {} }],
    };
    expect(decodeBridgeMessage(encodeWelcome(welcome))).toEqual({ type: 'welcome', ...welcome });
  });

  it('results survive the way, op by op', () => {
    const roundTrip = <O extends Op>(op: O, fields: Parameters<typeof encodeResult<O>>[2]) => {
      const answer = decodeBridgeMessage(encodeResult(op, id, fields)) as ResultAnswer;
      expect(answer.id).toEqual(id);
      expect(resultFields(op, answer)).toEqual(fields);
      return answer;
    };
    roundTrip('keys', { keys: [keyInfo] });
    roundTrip('info', { algorithm: 'p256', metadata: { constructor: 'x' } });
    roundTrip('public-key', { spki: data });
    roundTrip('sign', { signature, recovery: 3 });
    const answer = roundTrip('sign-batch', { signatures: [{ signature }, { signature, recovery: 0 }] });
    expect(() => resultFields('sign', answer)).toThrow(ProtocolError);
  });

  it('errors survive the way, and a code of a later version too', () => {
    expect(decodeBridgeMessage(encodeError(id, 'rate-limited', 'wait'))).toEqual({
      type: 'error',
      id,
      code: 'rate-limited',
      message: 'wait',
    });
    const later = encodeCbor({ type: 'error', id, code: 'outcome-unknown', message: '' });
    expect(decodeBridgeMessage(later)).toMatchObject({ code: 'outcome-unknown' });
  });

  it.each<[string, Record<string, unknown>]>([
    ['no type', { id }],
    ['another type', { type: 'hello' }],
    ['a type of Object.prototype', { type: 'toString' }],
    ['an unknown field in the welcome', welcomeWith({ motd: 'hi' })],
    ['an unknown algorithm', welcomeWith({ keys: [{ ...keyInfo, algorithm: 'rsa' }] })],
    ['a key twice', welcomeWith({ keys: [keyInfo, keyInfo] })],
    ['a negative limit', welcomeWith({ maxRequestBytes: -1 })],
    ['info with a number', welcomeWith({ keys: [{ ...keyInfo, info: { a: 1 } }] })],
    ['info that is a list', welcomeWith({ keys: [{ ...keyInfo, info: [] }] })],
    ['an error without id', { type: 'error', code: 'timeout', message: '' }],
  ])('%s is a protocol error', (_name, value) => {
    expect(() => decodeBridgeMessage(encodeCbor(value))).toThrow(ProtocolError);
  });

  it.each<[string, Record<string, unknown>]>([
    ['a short signature', { signature: new Uint8Array(63) }],
    ['a recovery id of 4', { signature, recovery: 4 }],
    ['an unknown field', { signature, more: 1 }],
  ])('a result with %s is a protocol error', (_name, fields) => {
    const answer = decodeBridgeMessage(encodeCbor({ type: 'result', id, ...fields })) as ResultAnswer;
    expect(() => resultFields('sign', answer)).toThrow(ProtocolError);
  });

  it('that are wrong are not encoded', () => {
    expect(() => encodeResult('sign', id, { signature: new Uint8Array(63) })).toThrow(TypeError);
    expect(() => encodeWelcome({ client: '', version: '', maxRequestBytes: 1, keys: [] })).toThrow(TypeError);
  });

  function welcomeWith(fields: Record<string, unknown>) {
    return { type: 'welcome', client: 'c', version: '1', maxRequestBytes: 1, keys: [], ...fields };
  }
});

describe('pairing payload', () => {
  it('survives the way', () => {
    expect(decodePairingPayload(encodePairingPayload('laptop'))).toEqual({ name: 'laptop' });
  });

  it.each([{}, { name: '' }, { name: 'a'.repeat(129) }, { name: 1 }, { name: 'a', more: 1 }])(
    '%o is a protocol error',
    (value) => {
      expect(() => decodePairingPayload(encodeCbor(value))).toThrow(ProtocolError);
    },
  );
});

describe('CBOR', () => {
  it.each<[string, string]>([
    ['nothing', ''],
    ['two items', 'a0a0'],
    ['an indefinite map', 'bfff'],
    ['an indefinite list', '9fff'],
    ['an indefinite byte string', '5f4101ff'],
    ['a break', 'ff'],
    ['a number in a byte too many', '1801'],
    ['a length in a byte too many', '5801ff'],
    ['a tag', 'c100'],
    ['half, single and double floats', 'f93c00'],
    ['a single float', 'fa3f800000'],
    ['a double float', 'fb3ff0000000000000'],
    ['undefined', 'f7'],
    ['a simple value', 'f0'],
    ['a number beyond 2^53', '1b0020000000000000'],
    ['a number for a key', 'a10102'],
    ['bytes for a key', 'a1410102'],
    ['a map for a key', 'a1a001'],
    ['a key twice', 'a2616101616102'],
    ['text that is not UTF-8', '62c328'],
    ['a surrogate in UTF-8', '63eda080'],
    ['long text that is not UTF-8', `7821${'61'.repeat(32)}ff`],
    ['a list that promises more than there is', '9affffffff00'],
    ['a map that promises more than there is', 'baffffffff'],
    ['bytes that promise more than there are', '5affffffff00'],
    ['a length of 2^64-1', '9bffffffffffffffff'],
    ['five containers deep', '8181818180'],
    ['a hundred thousand containers deep', '81'.repeat(100_000)],
  ])('%s is a protocol error', (_name, hex) => {
    expect(() => decodeCbor(fromHex(hex))).toThrow(ProtocolError);
  });

  it.each<[string, unknown]>([
    ['a0', {}],
    ['8181818101', [[[[1]]]]],
    ['8280a16161818101', [[], { a: [[1]] }]],
    ['8480808081818101', [[], [], [], [[[1]]]]],
    ['64efbbbf61', '\ufeffa'],
    ['a1695f5f70726f746f5f5f01', JSON.parse('{"__proto__": 1}')],
  ])('%s is read', (hex, value) => {
    expect(decodeCbor(fromHex(hex))).toEqual(value);
  });

  it('knows the longest byte string for a room', () => {
    for (const room of [1, 2, 24, 25, 26, 257, 258, 259, 65_538, 65_539, 65_540, 65_541, 65_542, 1_048_576]) {
      const longest = longestByteString(room);
      expect(encodedByteStringLength(longest)).toBeLessThanOrEqual(room);
      expect(encodedByteStringLength(longest + 1)).toBeGreaterThan(room);
    }
    expect(longestByteString(-5)).toBe(0);
  });

  it('gives plain arrays that share no memory with what they came from', () => {
    const message = Buffer.from(encodeCbor({ data: utf8('data') }));
    const { data } = decodeCbor(message) as { data: Uint8Array };
    message.fill(0);
    expect(data.constructor).toBe(Uint8Array);
    expect(data).toEqual(utf8('data'));
  });

  it.each([0, 1, 23, 24, 255, 256, 65_535, 65_536, 1_048_576])(
    'predicts the length of %i bytes',
    (length) => {
      const alone = encodeCbor({ d: new Uint8Array(length) }).length - 3;
      expect(encodedByteStringLength(length)).toBe(alone);
    },
  );
});

describe('any bytes', () => {
  const decoders: [string, (bytes: Uint8Array) => unknown][] = [
    ['decodeRequest', decodeRequest],
    ['decodeBridgeMessage', decodeBridgeMessage],
    ['decodePairingPayload', decodePairingPayload],
  ];
  const valid = [
    ...requests.map(encodeRequest),
    encodeWelcome({ client: 'c', version: '1', maxRequestBytes: 1, keys: [keyInfo] }),
    encodeResult('sign', id, { signature, recovery: 1 }),
    encodeError(id, 'timeout', 'late'),
    encodePairingPayload('laptop'),
  ];
  const damaged = fc
    .tuple(fc.constantFrom(...valid), fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 }), fc.nat())
    .map(([message, changes, cut]) => {
      const copy = Uint8Array.from(message);
      for (const [position, value] of changes) copy[position % copy.length] = value;
      return cut % 3 === 0 ? copy.subarray(0, cut % copy.length) : copy;
    });
  const maps = fc
    .dictionary(
      fc.constantFrom(
        'id',
        'op',
        'key',
        'data',
        'type',
        'name',
        'keys',
        'prehashed',
        '__proto__',
        'signature',
      ),
      fc.oneof(
        fc.constant(id),
        fc.constantFrom('sign', 'keys', 'welcome', 'result', 'sign-batch'),
        fc.boolean(),
        fc.integer(),
        fc.uint8Array(),
        fc.array(fc.oneof(fc.uint8Array(), fc.string()), { maxLength: 3 }),
      ),
    )
    .map((value) => encodeCbor(value));

  it.each(decoders)('%s gives a value or a typed error', (_name, decoder) => {
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), damaged, maps), (bytes) => {
        try {
          decoder(bytes);
        } catch (error) {
          if (!(error instanceof ProtocolError || error instanceof InvalidRequestError)) throw error;
        }
      }),
      { numRuns: 5000 },
    );
  });
});
