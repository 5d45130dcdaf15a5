import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toBase64Url } from '../../src/bytes.js';
import {
  type AuthorizedClient,
  clientFingerprint,
  coversAddress,
  coversAlgorithm,
  coversKeyName,
  coversOrigin,
  formatLine,
  isExpired,
  newClientName,
  parseClientLines,
  parseLine,
} from '../../src/protocol/authorized-clients.js';

const keyBytes = (fill: number) => new Uint8Array(32).fill(fill);
const KEY = toBase64Url(keyBytes(1));
const OTHER_KEY = toBase64Url(keyBytes(2));

function client(options: string): AuthorizedClient {
  const line = parseLine(`${options} x25519 ${KEY} laptop`);
  if (!line.client) throw new Error(line.problem);
  return line.client;
}

const problem = (line: string) => parseLine(line).problem;
const optionProblem = (options: string) => problem(`keys=*,${options} x25519 ${KEY} laptop`);

describe('a line', () => {
  it('gives what it says, and by default all ops and no digests', () => {
    expect(parseLine(`keys=treasury x25519 ${KEY} laptop`, 7)).toEqual({
      lineNumber: 7,
      name: 'laptop',
      keyText: KEY,
      client: {
        name: 'laptop',
        publicKey: keyBytes(1),
        keys: ['treasury'],
        ops: ['info', 'public-key', 'sign'],
        prehashed: false,
      },
    });
  });

  it('reads every option, bare and quoted', () => {
    const read = client(
      'keys="treasury, eth*",ops=sign,algorithms="ed25519,p256",origins=https://app.example,from="10.0.0.0/8,::1",' +
        'rate=100/m,expires=2027-01-31T12:00:00+01:00,max-bytes=4096,prehashed=yes',
    );
    expect(read).toMatchObject({
      keys: ['treasury', 'eth*'],
      ops: ['sign'],
      algorithms: ['ed25519', 'p256'],
      origins: ['https://app.example'],
      rate: { count: 100, perMs: 60_000 },
      expiresAt: Date.UTC(2027, 0, 31, 11),
      maxBytes: 4096,
      prehashed: true,
    });
  });

  it('takes tabs, several spaces and escaped characters', () => {
    expect(parseLine(`keys="a"\t x25519\t${KEY}  laptop`).client?.keys).toEqual(['a']);
    expect(problem(`keys="a\\"b" x25519 ${KEY} laptop`)).toBe('keys= has "a"b", which is no name or pattern');
    expect(problem(`keys="a\\n" x25519 ${KEY} laptop`)).toBe('options cannot be read at column 1');
  });

  it.each([
    [`x25519 ${KEY} laptop`, 'option keys= is missing: name the keys, e.g. keys=treasury or keys=*'],
    [`keys=* ed25519 ${KEY} laptop`, 'key type must be x25519'],
    ['keys=* x25519', 'the public key is missing'],
    [`keys=* x25519 ${KEY}`, 'the name after the key is missing'],
    [`keys=* x25519 ${KEY} two words`, 'nothing may follow the name'],
    [`keys=* x25519 ${KEY} -laptop`, 'name must be 1 to 64 letters, digits, . _ @ or -'],
    [`keys=* x25519 ${KEY} ${'a'.repeat(65)}`, 'name must be 1 to 64 letters, digits, . _ @ or -'],
    [
      `keys=* x25519 ${KEY}= laptop`,
      'public key must be 32 bytes in base64url without padding (43 characters)',
    ],
    [
      `keys=* x25519 ${KEY.slice(1)} laptop`,
      'public key must be 32 bytes in base64url without padding (43 characters)',
    ],
    [`keys=*, ops=sign x25519 ${KEY} laptop`, 'options cannot be read at column 8'],
    [`keys=*,,ops=sign x25519 ${KEY} laptop`, 'options cannot be read at column 8'],
    [`keys="* x25519 ${KEY} laptop`, 'options cannot be read at column 1'],
    [`keys x25519 ${KEY} laptop`, 'options cannot be read at column 1'],
    [`keys= x25519 ${KEY} laptop`, 'options cannot be read at column 1'],
    [`keys=a,keys=b x25519 ${KEY} laptop`, 'option keys= is there twice'],
  ])('is invalid: %s', (line, reason) => {
    expect(parseLine(line)).toMatchObject({ problem: reason });
    expect(parseLine(line).client).toBeUndefined();
  });

  it.each([
    ['presence=yes', 'option presence= is not enforced in this version'],
    ['ops=audit', 'ops=audit is not enforced in this version'],
    ['ops="sign,approve"', 'ops=approve is not enforced in this version'],
    ['ops=admin', 'ops=admin is not enforced in this version'],
    ['ops=dance', 'ops= has "dance"; known are info, public-key, sign'],
    ['ops=Sign', 'ops= has "Sign"; known are info, public-key, sign'],
    ['permit=all', 'unknown option permit='],
    ['constructor=x', 'unknown option constructor='],
    ['algorithms=rsa', 'algorithms= has "rsa"; known are ed25519, secp256k1, p256'],
    [
      'origins=https://app.example/',
      'origins= has "https://app.example/"; write an origin like https://app.example',
    ],
    [
      'origins=https://App.example',
      'origins= has "https://App.example"; write an origin like https://app.example',
    ],
    ['origins=null', 'origins= has "null"; write an origin like https://app.example'],
    ['from=10.0.0.1/8', 'from= has "10.0.0.1/8"; write an address or a block like 10.0.0.0/8'],
    ['from=example.org', 'from= has "example.org"; write an address or a block like 10.0.0.0/8'],
    ['rate=10', 'rate= must be like 10/s, 100/m, 1000/h or 5000/d'],
    ['rate=0/s', 'rate= must be like 10/s, 100/m, 1000/h or 5000/d'],
    [
      'expires=2027-02-30',
      'expires= must be like 2027-01-31 (midnight UTC, at its start) or 2027-01-31T12:00:00Z',
    ],
    [
      'expires=2027-01-31T12:00:00',
      'expires= must be like 2027-01-31 (midnight UTC, at its start) or 2027-01-31T12:00:00Z',
    ],
    [
      'expires=tomorrow',
      'expires= must be like 2027-01-31 (midnight UTC, at its start) or 2027-01-31T12:00:00Z',
    ],
    ['max-bytes=1k', 'max-bytes= must be a number of bytes'],
    ['prehashed=true', 'prehashed= must be yes or no'],
  ])('is invalid with %s', (option, reason) => {
    expect(optionProblem(option)).toBe(reason);
  });

  it('never throws, and says either what it gives or what is wrong', () => {
    const piece = fc.constantFrom(
      'keys=',
      '*',
      ',',
      '"',
      '\\',
      ' ',
      'x25519 ',
      KEY,
      'laptop',
      'rate=1/s',
      '\0',
      'é',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(piece).map((pieces) => pieces.join('')),
        ),
        (line) => {
          const read = parseLine(line);
          expect((read.client === undefined) !== (read.problem === undefined)).toBe(true);
        },
      ),
    );
  });
});

describe('the file', () => {
  it('skips comments and blank lines, counts them, and takes CRLF', () => {
    const text = `# comment\r\n\r\n  # indented\r\nkeys=* x25519 ${KEY} laptop\r\n\n`;
    expect(parseClientLines(text)).toMatchObject([{ lineNumber: 4, client: { name: 'laptop' } }]);
  });

  it('reads each line on its own', () => {
    const text = `keys=*,presence=yes x25519 ${KEY} phone\nkeys=* x25519 ${OTHER_KEY} laptop\n`;
    const [phone, laptop] = parseClientLines(text);
    expect(phone).toMatchObject({
      name: 'phone',
      keyText: KEY,
      problem: expect.stringContaining('presence='),
    });
    expect(laptop!.client).toBeDefined();
  });

  it('refuses both lines of a key that is there twice, even where one is invalid anyway', () => {
    const twice = parseClientLines(`keys=a x25519 ${KEY} one\nkeys=b x25519 ${KEY} two\n`);
    expect(twice.map(({ problem }) => problem)).toEqual([
      'the same key is on line 2',
      'the same key is on line 1',
    ]);
    expect(twice.some(({ client }) => client)).toBe(false);
    const narrowed = parseClientLines(`keys=*,presence=yes x25519 ${KEY} one\nkeys=* x25519 ${KEY} two\n`);
    expect(narrowed[1]).toMatchObject({ problem: 'the same key is on line 1' });
    expect(narrowed[1]!.client).toBeUndefined();
  });

  it('refuses both lines of a name that is there twice', () => {
    const lines = parseClientLines(`keys=a x25519 ${KEY} one\n\nkeys=b x25519 ${OTHER_KEY} one\n`);
    expect(lines.map(({ problem }) => problem)).toEqual([
      'the same name is on line 3',
      'the same name is on line 1',
    ]);
  });
});

describe('what a line covers', () => {
  it.each([
    ['*', 'anything', true],
    ['treasury', 'treasury', true],
    ['treasury', 'treasury2', false],
    ['treasury', 'Treasury', false],
    ['t*y', 'treasury', true],
    ['t*y', 'treasure', false],
    ['*-main', 'eth-main', true],
    ['*-main', 'eth-main-2', false],
    ['a*b*c', 'a-b-b-c', true],
    ['a*b*c', 'acb', false],
    ['*a*a*a*a*a*a*a*a*a*a*a*a*b', 'a'.repeat(64), false],
    ['a.c', 'abc', false],
  ])('pattern %s on %s: %s', (pattern, name, expected) => {
    expect(coversKeyName(client(`keys=${pattern}`), name)).toBe(expected);
  });

  it.each([
    ['10.0.0.0/8', '10.255.0.1', true],
    ['10.0.0.0/8', '11.0.0.0', false],
    ['10.0.0.0/8', '::ffff:10.1.2.3', true],
    ['192.168.1.7', '192.168.1.7', true],
    ['192.168.1.7', '192.168.1.8', false],
    ['0.0.0.0/0', '8.8.8.8', true],
    ['0.0.0.0/0', '2001:db8::1', false],
    ['::/0', '8.8.8.8', true],
    ['::1', '::1', true],
    ['::1', '0:0:0:0:0:0:0:1', true],
    ['::1', '127.0.0.1', false],
    ['fe80::/10', 'fe80::1%eth0', true],
    ['2001:db8:8000::/33', '2001:db8:ffff::1', true],
    ['2001:db8:8000::/33', '2001:db8:7fff::1', false],
    ['::ffff:10.0.0.0/104', '10.9.9.9', true],
    ['10.0.0.0/8', 'not an address', false],
  ])('from=%s on %s: %s', (block, address, expected) => {
    expect(coversAddress(client(`keys=*,from="${block}"`), address)).toBe(expected);
  });

  it.each([
    '10.0.0.0/33',
    '::/129',
    '1.2.3',
    '1.2.3.256',
    '01.2.3.4',
    '1::2::3',
    '12345::',
    ':::',
    '10.0.0.0/08',
    '1:2:3:4:5:6:7:8:9',
    '',
  ])('from=%s is no block', (block) => {
    expect(optionProblem(`from="${block}"`)).toContain('from= has');
  });

  it('covers origins exactly, and no program where there are any', () => {
    const restricted = client('keys=*,origins=https://app.example');
    expect(coversOrigin(restricted, 'https://app.example')).toBe(true);
    expect(coversOrigin(restricted, 'https://app.example:8443')).toBe(false);
    expect(coversOrigin(restricted, 'http://app.example')).toBe(false);
    expect(coversOrigin(restricted, undefined)).toBe(false);
    expect(coversOrigin(client('keys=*'), undefined)).toBe(true);
  });

  it('covers algorithms, and ends on time', () => {
    const restricted = client('keys=*,algorithms=ed25519,expires=2027-01-31');
    expect(coversAlgorithm(restricted, 'ed25519')).toBe(true);
    expect(coversAlgorithm(restricted, 'secp256k1')).toBe(false);
    expect(isExpired(restricted, Date.UTC(2027, 0, 31) - 1)).toBe(false);
    expect(isExpired(restricted, Date.UTC(2027, 0, 31))).toBe(true);
    expect(isExpired(client('keys=*'), Number.MAX_SAFE_INTEGER)).toBe(false);
  });
});

describe('writing', () => {
  it('writes a line that reads back the same', () => {
    const grant = {
      keys: ['treasury', 'eth*'],
      ops: ['sign'],
      algorithms: ['ed25519'],
      origins: ['https://app.example'],
      from: ['10.0.0.0/8', 'fd00::/8'],
      rate: '10/s',
      expires: '2027-01-31',
      maxBytes: 0,
      prehashed: false,
    };
    const line = formatLine(grant, keyBytes(1), 'laptop');
    expect(line).toBe(
      'keys="treasury,eth*",ops=sign,algorithms=ed25519,origins=https://app.example,from="10.0.0.0/8,fd00::/8",' +
        `rate=10/s,expires=2027-01-31,max-bytes=0,prehashed=no x25519 ${KEY} laptop`,
    );
    expect(parseLine(line).client).toMatchObject({ keys: grant.keys, maxBytes: 0, prehashed: false });
  });

  it('refuses to write what would not be valid, or would be another line', () => {
    expect(() => formatLine({ keys: [] }, keyBytes(1), 'laptop')).toThrow(RangeError);
    expect(() => formatLine({ keys: ['*'], ops: ['admin'] }, keyBytes(1), 'laptop')).toThrow('not enforced');
    expect(() => formatLine({ keys: ['*'], rate: '1/s\nkeys=*' }, keyBytes(1), 'laptop')).toThrow(RangeError);
    expect(() => formatLine({ keys: ['*'] }, keyBytes(1), 'a\nb')).toThrow(RangeError);
    expect(() => formatLine({ keys: ['*\n# '] }, keyBytes(1), 'a')).toThrow(RangeError);
  });

  it.each([
    ['laptop', 'laptop'],
    ['Chrome on Linux', 'Chrome-on-Linux'],
    ['Jürgen’s phone\n', 'Ju-rgen-s-phone'],
    ['\n# x25519 evil', 'x25519-evil'],
    ['', 'client'],
    ['---', 'client'],
    ['日本', 'client'],
    ['a'.repeat(200), 'a'.repeat(56)],
  ])('makes a name of %j: %s', (proposed, name) => {
    expect(newClientName(proposed, new Set())).toBe(name);
  });

  it('makes names unique and always valid', () => {
    expect(newClientName('laptop', new Set(['laptop', 'laptop-2']))).toBe('laptop-3');
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (proposed) => {
        const line = formatLine({ keys: ['*'] }, keyBytes(1), newClientName(proposed, new Set(['client'])));
        expect(parseClientLines(line)).toHaveLength(1);
      }),
    );
  });

  it('names a key by its fingerprint', () => {
    expect(clientFingerprint(new Uint8Array(32))).toBe('SHA256:Zmh6rfhivXdsj8GLjp+OIAiXFIVu4jOzkCpZHQ1fKSU');
  });
});
