import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { fromHex } from '../../../../src/bytes.js';
import {
  algorithmOfParams,
  paramsToTry,
  pointOf,
} from '../../../../src/signers/pkcs11/module/ec-encoding.js';

describe('EC_PARAMS', () => {
  it.each([
    ['OID of RFC 8410', '06032b6570', 'ed25519'],
    ['OID from before RFC 8410', '06092b06010401da470f01', 'ed25519'],
    ['PrintableString edwards25519', '130c656477617264733235353139', 'ed25519'],
    ['OID', '06052b8104000a', 'secp256k1'],
    ['PrintableString secp256k1', '1309736563703235366b31', 'secp256k1'],
    ['OID', '06082a8648ce3d030107', 'p256'],
    ['PrintableString secp256r1', '1309736563703235367231', 'p256'],
    ['OID of secp384r1', '06052b81040022', undefined],
    ['OID of X25519', '06032b656e', undefined],
    ['OID of Ed448', '06032b6571', undefined],
    ['nothing', '', undefined],
    ['OID with a byte too many', '06032b657000', undefined],
  ])('%s %s is %s', (_, hex, algorithm) => {
    expect(algorithmOfParams(fromHex(hex))).toBe(algorithm);
  });

  const spelledOut = (...options: string[]) =>
    execFileSync('openssl', [
      'ecparam',
      '-name',
      'prime256v1',
      '-param_enc',
      'explicit',
      '-outform',
      'DER',
      ...options,
    ]);

  it('that spell P-256 out are P-256, and nothing but P-256', () => {
    const params = spelledOut();
    expect(params.length).toBeGreaterThan(200);
    expect(algorithmOfParams(params)).toBe('p256');
    expect(algorithmOfParams(spelledOut('-no_seed'))).toBe('p256');
    for (let i = 0; i < params.length; i++) {
      const other = Uint8Array.from(params);
      other[i]! ^= 1;
      expect(algorithmOfParams(other)).toBeUndefined();
    }
  });

  it.each(['ed25519', 'secp256k1', 'p256'] as const)('what is asked for is read back: %s', (algorithm) => {
    for (const params of paramsToTry(algorithm)) expect(algorithmOfParams(params)).toBe(algorithm);
  });
});

describe('EC_POINT', () => {
  const bytes = (length: number, first: number) =>
    Uint8Array.from({ length }, (_, i) => (i === 0 ? first : 0xa0 + (i % 16)));
  const wrapped = (tag: number, content: Uint8Array, unusedBits?: number) => {
    const body = unusedBits === undefined ? [...content] : [unusedBits, ...content];
    return Uint8Array.of(tag, body.length, ...body);
  };
  const cases = [
    ['ed25519', bytes(32, 0x04)],
    ['ed25519', bytes(32, 0x1d)],
    ['secp256k1', bytes(65, 0x04)],
    ['secp256k1', bytes(33, 0x02)],
    ['p256', bytes(65, 0x04)],
    ['p256', bytes(33, 0x03)],
  ] as const;

  it.each(cases)('%s: bare, in an OCTET STRING and in a BIT STRING', (algorithm, point) => {
    expect(pointOf(algorithm, point)).toEqual(point);
    expect(pointOf(algorithm, wrapped(0x04, point))).toEqual(point);
    expect(pointOf(algorithm, wrapped(0x03, point, 0))).toEqual(point);
  });

  it('is refused at another length, with another tag, or with a length that does not fit', () => {
    const point = bytes(32, 0x1d);
    expect(pointOf('ed25519', bytes(33, 0x02))).toBeUndefined();
    expect(pointOf('p256', bytes(32, 0x02))).toBeUndefined();
    expect(pointOf('p256', bytes(64, 0x04))).toBeUndefined();
    expect(pointOf('ed25519', wrapped(0x30, point))).toBeUndefined();
    expect(pointOf('ed25519', wrapped(0x03, point, 1))).toBeUndefined();
    expect(pointOf('ed25519', Uint8Array.of(0x04, 0x21, ...point))).toBeUndefined();
    expect(pointOf('ed25519', new Uint8Array())).toBeUndefined();
  });
});
