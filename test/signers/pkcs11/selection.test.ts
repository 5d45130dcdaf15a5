import { describe, expect, it } from 'vitest';
import { ConfigError, Pkcs11Error } from '../../../src/errors.js';
import type { Pkcs11Config } from '../../../src/signers/config/config.js';
import type { KeySummary, TokenSummary } from '../../../src/signers/pkcs11/engine.js';
import { pivSlotToIdHex } from '../../../src/signers/pkcs11/piv.js';
import { selectKey } from '../../../src/signers/pkcs11/select-key.js';
import { selectToken } from '../../../src/signers/pkcs11/select-token.js';
import { selectionOf } from '../../../src/signers/pkcs11/selection.js';

const modulePath = '/m.so';

function tokenNamed(label: string, slotIndex: number, more: Partial<TokenSummary> = {}): TokenSummary {
  return {
    slotIndex,
    slotHandle: '00',
    slotId: BigInt(100 + slotIndex),
    slotDescription: 'reader',
    slotManufacturer: 'maker',
    initialized: true,
    loginRequired: true,
    label,
    manufacturer: 'maker',
    model: 'M1',
    serial: `s${slotIndex}`,
    libraryManufacturer: 'lm',
    libraryDescription: 'ld',
    libraryVersion: '1.0',
    mechanisms: ['EDDSA'],
    ...more,
  };
}

function keyNamed(label: string, idHex: string, more: Partial<KeySummary> = {}): KeySummary {
  return { algorithm: 'ed25519', label, idHex, canSign: true, alwaysAuthenticate: false, ...more };
}

const failureOf = (work: () => unknown): Pkcs11Error => {
  try {
    work();
  } catch (error) {
    return error as Pkcs11Error;
  }
  throw new Error('did not fail');
};

describe('PIV slots', () => {
  it.each([
    ['9a', '01'],
    ['9C', '02'],
    ['9d', '03'],
    ['0x9e', '04'],
    ['82', '05'],
    ['95', '18'],
    ['f9', '19'],
  ])('%s is CKA_ID %s', (slot, id) => {
    expect(pivSlotToIdHex(slot)).toBe(id);
  });

  it.each(['81', '96', '9b', '', '9', 'fa'])('%j is none', (slot) => {
    expect(() => pivSlotToIdHex(slot)).toThrow(ConfigError);
  });
});

describe('selectionOf', () => {
  it('puts URI and fields into one form', () => {
    const uri = 'pkcs11:token=t;object=k;id=%01?module-path=/m.so&pin-value=1234';
    const selection = selectionOf({ uri });
    expect(selection).toMatchObject({
      modulePath,
      pin: { value: '1234' },
      token: { token: 't' },
      key: { label: 'k', idHex: '01' },
    });
    expect(selectionOf({ modulePath, uri, tokenLabel: 't', keyIdHex: '01' }).key.idHex).toBe('01');
    expect(selectionOf({ modulePath, keyIdHex: '0xAB:cd' }).key.idHex).toBe('abcd');
    expect(selectionOf({ modulePath, pivSlot: '9c' }).key.idHex).toBe('02');
  });

  it.each<[string, Pkcs11Config, string]>([
    ['no module', {}, 'ERST_PKCS11_MODULE'],
    ['two modules', { modulePath, uri: 'pkcs11:?module-path=/other.so' }, 'ERST_PKCS11_MODULE'],
    ['two token labels', { modulePath, tokenLabel: 'a', uri: 'pkcs11:token=b' }, 'ERST_PKCS11_TOKEN_LABEL'],
    ['two key labels', { modulePath, keyLabel: 'a', uri: 'pkcs11:object=b' }, 'ERST_PKCS11_KEY_LABEL'],
    ['two ids', { modulePath, keyIdHex: '01', uri: 'pkcs11:id=%02' }, 'ERST_PKCS11_KEY_ID'],
    ['an id and another PIV slot', { modulePath, keyIdHex: '01', pivSlot: '9c' }, 'ERST_PKCS11_PIV_SLOT'],
    ['two PINs', { modulePath, pin: '1', uri: 'pkcs11:?pin-value=1' }, 'ERST_PKCS11_URI'],
    ['an id that is not hex', { modulePath, keyIdHex: 'zz' }, 'ERST_PKCS11_KEY_ID'],
    ['half a byte', { modulePath, keyIdHex: '1' }, 'ERST_PKCS11_KEY_ID'],
    ['an empty id', { modulePath, keyIdHex: '' }, 'ERST_PKCS11_KEY_ID'],
  ])('refuses %s', (_, config, setting) => {
    const error = failureOf(() => selectionOf(config)) as unknown as ConfigError;
    expect(error).toBeInstanceOf(ConfigError);
    expect(error.setting).toBe(setting);
  });

  it('takes wrong types for bugs', () => {
    expect(() => selectionOf(undefined as never)).toThrow(TypeError);
    expect(() => selectionOf({ modulePath: 1 } as never)).toThrow(TypeError);
    expect(() => selectionOf({ modulePath, algorithm: 'rsa' } as never)).toThrow(TypeError);
    for (const slotIndex of [-1, 0.5, '0', Number.NaN]) {
      expect(() => selectionOf({ modulePath, slotIndex } as never)).toThrow(RangeError);
    }
  });
});

describe('selectToken', () => {
  const tokens = [
    tokenNamed('a', 0),
    tokenNamed('b', 1),
    tokenNamed('b', 2),
    tokenNamed('', 3, { initialized: false }),
  ];

  it('by label, position, serial, slot-id and the rest of a URI', () => {
    expect(selectToken(tokens, { token: 'a' }).slotIndex).toBe(0);
    expect(selectToken(tokens, { slotIndex: 2 }).slotIndex).toBe(2);
    expect(selectToken(tokens, { token: 'b', slotIndex: 1 }).slotIndex).toBe(1);
    expect(selectToken(tokens, { token: 'b', serial: 's2' }).slotIndex).toBe(2);
    expect(selectToken(tokens, { slotId: 101n }).slotIndex).toBe(1);
    expect(selectToken([tokenNamed('only', 0), tokenNamed('', 1, { initialized: false })], {}).label).toBe(
      'only',
    );
    for (const filter of [
      { manufacturer: 'x' },
      { model: 'x' },
      { slotDescription: 'x' },
      { slotManufacturer: 'x' },
      { libraryManufacturer: 'x' },
      { libraryDescription: 'x' },
      { libraryVersion: 'x' },
    ]) {
      expect(failureOf(() => selectToken(tokens, filter)).code).toBe('token-not-found');
    }
  });

  it('lists the candidates of an ambiguous choice', () => {
    const error = failureOf(() => selectToken(tokens, { token: 'b' }));
    expect(error.code).toBe('token-ambiguous');
    expect(error.message).toContain('[1] "b" (M1, serial s1); [2] "b" (M1, serial s2)');
    expect(failureOf(() => selectToken(tokens, {})).code).toBe('token-ambiguous');
  });

  it('lists what is there where nothing matches', () => {
    const error = failureOf(() => selectToken(tokens, { token: 'c' }));
    expect(error.code).toBe('token-not-found');
    expect(error.message).toContain('label "c"');
    expect(error.message).toContain('[0] "a"');
    expect(error.message).toContain('[3] not initialized');
    expect(failureOf(() => selectToken(tokens, { slotIndex: 3 })).code).toBe('token-not-found');
    expect(failureOf(() => selectToken([], {})).message).toContain('There is no token');
  });
});

describe('selectKey', () => {
  const k1 = keyNamed('k1', '01');
  const k2 = keyNamed('k2', '02', { algorithm: 'secp256k1' });
  const rsa = keyNamed('rsa', '03', { algorithm: undefined });
  const kem = keyNamed('kem', '04', { canSign: false });

  it('takes the only key that can sign', () => {
    expect(selectKey([rsa, kem, k1], [], {}, undefined)).toBe(k1);
    expect(selectKey([k1], [], {}, 'ed25519')).toBe(k1);
    expect(selectKey([k1, k2], [], {}, 'secp256k1')).toBe(k2);
  });

  it('lists the candidates of an ambiguous choice', () => {
    const error = failureOf(() => selectKey([k1, k2], [], {}, undefined));
    expect(error.code).toBe('key-ambiguous');
    expect(error.message).toContain('"k1" (id 01, ed25519); "k2" (id 02, secp256k1)');
  });

  it('says why no key will do', () => {
    const filter = { label: 'k1' };
    const missing = failureOf(() => selectKey([], [k2, rsa], filter, undefined));
    expect(missing.code).toBe('key-not-found');
    expect(missing.message).toContain('"k2" (id 02, secp256k1); "rsa" (id 03, unsupported type)');
    expect(failureOf(() => selectKey([k1], [], filter, 'p256')).code).toBe('key-mismatch');
    expect(failureOf(() => selectKey([rsa], [], filter, undefined)).code).toBe('unsupported-algorithm');
    expect(failureOf(() => selectKey([kem], [], filter, undefined)).message).toContain('CKA_SIGN');
    expect(failureOf(() => selectKey([], [], filter, undefined))).toBeInstanceOf(Pkcs11Error);
  });

  it('keeps a long list short', () => {
    const many = Array.from({ length: 50 }, (_, i) => keyNamed(`k${i}`, '01'));
    expect(failureOf(() => selectKey(many, [], {}, undefined)).message).toContain('; and 30 more');
  });
});
