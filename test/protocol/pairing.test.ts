import { hkdfSync } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toBase64Url } from '../../src/bytes.js';
import { ConfigError } from '../../src/errors.js';
import {
  formatPairingLink,
  pairingId,
  pairingPsk,
  parsePairingLink,
  webSocketUrl,
} from '../../src/protocol/pairing.js';

const bridgeKey = new Uint8Array(32).fill(0xfb);
const secret = new Uint8Array(16).fill(0x42);
const [key64, secret64] = [toBase64Url(bridgeKey), toBase64Url(secret)];

describe('pairing link', () => {
  it.each(['http://localhost:27183', 'https://bridge.example', 'http://127.0.0.1:1', 'https://[::1]:8443'])(
    'for %s survives the way',
    (origin) => {
      const link = formatPairingLink({ origin, bridgeKey, secret });
      expect(link).toBe(`${origin}/#pair=1.${key64}.${secret64}`);
      expect(parsePairingLink(` ${link}\n`)).toEqual({ origin, bridgeKey, secret });
    },
  );

  it.each([
    '',
    'hello',
    'localhost:27183/#pair=1.a.b',
    `ws://localhost/#pair=1.${key64}.${secret64}`,
    `http://localhost/path#pair=1.${key64}.${secret64}`,
    `http://localhost/?q#pair=1.${key64}.${secret64}`,
    `http://user:pw@localhost/#pair=1.${key64}.${secret64}`,
    `http://localhost/#pair=1.${key64}`,
    `http://localhost/#pair=1.${key64}.${secret64}.x`,
    `http://localhost/#pair=1.${key64}.${secret64.slice(0, -1)}`,
    `http://localhost/#pair=1.${key64.slice(4)}.${secret64}`,
    `http://localhost/#pair=1.${key64}.${secret64}=`,
    `http://localhost/#pair=1.${key64}.${secret64.slice(0, -1)}h`, // trailing bits that are not zero
    `http://localhost/?pair=1.${key64}.${secret64}`,
  ])('is not %s, and the error does not repeat it', (text) => {
    expect(() => parsePairingLink(text)).toThrow(ConfigError);
    try {
      parsePairingLink(text);
    } catch (error) {
      expect((error as Error).message).toContain('copy the whole line');
      expect((error as Error).message).not.toContain(secret64);
    }
  });

  it('of another version says so', () => {
    expect(() => parsePairingLink(`http://localhost/#pair=2.${key64}.${secret64}`)).toThrow('version 2');
  });

  it('is made of an origin, a key and a secret', () => {
    const good = { origin: 'http://localhost:1', bridgeKey, secret };
    expect(() => formatPairingLink({ ...good, origin: 'http://localhost:1/' })).toThrow(TypeError);
    expect(() => formatPairingLink({ ...good, origin: 'ws://localhost:1' })).toThrow(TypeError);
    expect(() => formatPairingLink({ ...good, bridgeKey: new Uint8Array(31) })).toThrow(RangeError);
    expect(() => formatPairingLink({ ...good, secret: new Uint8Array(17) })).toThrow(RangeError);
  });

  it('of any text is read or refused with a ConfigError', () => {
    const near = fc
      .tuple(fc.constantFrom('http://', 'https://', ''), fc.string(), fc.string(), fc.string())
      .map(([scheme, host, key, rest]) => `${scheme}${host}/#pair=1.${key}.${rest}`);
    fc.assert(
      fc.property(fc.oneof(fc.string(), near), (text) => {
        try {
          parsePairingLink(text);
        } catch (error) {
          if (!(error instanceof ConfigError)) throw error;
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe('pairing secret', () => {
  it('gives id and psk by HKDF-SHA256', () => {
    const hkdf = (info: string, length: number) =>
      new Uint8Array(hkdfSync('sha256', secret, new Uint8Array(0), info, length));
    expect(pairingId(secret)).toEqual(hkdf('erst-hsm pairing id', 8));
    expect(pairingPsk(secret)).toEqual(hkdf('erst-hsm pairing psk', 32));
  });

  it('is 16 bytes', () => {
    expect(() => pairingId(new Uint8Array(15))).toThrow(RangeError);
    expect(() => pairingPsk(new Uint8Array(17))).toThrow(RangeError);
  });
});

describe('address of the WebSocket', () => {
  it('is that of the page, with ws or wss', () => {
    expect(webSocketUrl('http://localhost:27183')).toBe('ws://localhost:27183/');
    expect(webSocketUrl('https://bridge.example')).toBe('wss://bridge.example/');
  });
});
