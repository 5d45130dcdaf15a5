import { describe, expect, it } from 'vitest';
import { ConfigError, Pkcs11Error } from '../../../../src/errors.js';
import type { Pkcs11Config } from '../../../../src/signers/config/config.js';
import type { KeySummary, TokenSummary } from '../../../../src/signers/pkcs11/engine/hosted-module.js';
import { pivSlotToIdHex } from '../../../../src/signers/pkcs11/selection/piv.js';
import { selectKey } from '../../../../src/signers/pkcs11/selection/select-key.js';
import { selectToken } from '../../../../src/signers/pkcs11/selection/select-token.js';
import { selectionOf, selectionsOf } from '../../../../src/signers/pkcs11/selection/selection.js';

const modulePath = '/m.so';

function tokenNamed(label: string, slotIndex: number, more: Partial<TokenSummary> = {}): TokenSummary {
  return {
    slotIndex,
    slotHandle: '00',
    slotId: BigInt(100 + slotIndex),
    slotDescription: 'reader',
    slotManufacturer: 'maker',
    removable: false,
    hardware: false,
    initialized: true,
    loginRequired: true,
    writeProtected: false,
    ownKeypad: false,
    soPin: 'ok',
    pinBytes: undefined,
    pin: 'ok',
    firmwareVersion: '1.0',
    hardwareVersion: '1.0',
    maxSessions: undefined,
    label,
    manufacturer: 'maker',
    model: 'M1',
    serial: `s${slotIndex}`,
    libraryManufacturer: 'lm',
    libraryDescription: 'ld',
    libraryVersion: '1.0',
    mechanisms: ['EDDSA'],
    mechanismNumbers: [],
    ...more,
  };
}

function keyNamed(label: string, idHex: string, more: Partial<KeySummary> = {}): KeySummary {
  return {
    algorithm: 'ed25519',
    label,
    idHex,
    canSign: true,
    needsLogin: true,
    alwaysAuthenticate: false,
    local: undefined,
    alwaysSensitive: undefined,
    neverExtractable: undefined,
    extractable: undefined,
    ...more,
  };
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

  it('says how the module runs, and only what is given', () => {
    expect(selectionOf({ modulePath }).engine).toEqual({});
    const engine = { inProcess: false, processes: 2, maxSessions: 3, timeoutMs: 400, maxQueue: 5 };
    expect(selectionOf({ modulePath, ...engine, attestationRootPem: 'pem' })).toMatchObject({
      engine,
      attestationRootPem: 'pem',
    });
    expect(selectionOf({ modulePath, pinCredential: 'c' }).pin).toEqual({ credential: 'c' });
  });

  it('takes wrong types for bugs', () => {
    expect(() => selectionOf(undefined as never)).toThrow(TypeError);
    expect(() => selectionOf({ modulePath: 1 } as never)).toThrow(TypeError);
    expect(() => selectionOf({ modulePath, algorithm: 'rsa' } as never)).toThrow(TypeError);
    expect(() => selectionOf({ modulePath, maxSessions: 129 })).toThrow(RangeError);
    expect(() => selectionOf({ modulePath, inProcess: 'yes' } as never)).toThrow(TypeError);
    for (const slotIndex of [-1, 0.5, '0', Number.NaN]) {
      expect(() => selectionOf({ modulePath, slotIndex } as never)).toThrow(RangeError);
    }
  });
});

describe('selectionsOf', () => {
  it('gives one for each URI', () => {
    const uri = 'pkcs11:token=a;object=k\n pkcs11:token=b;object=l?pin-source=/b';
    const selections = selectionsOf({ modulePath, uri, maxQueue: 5, algorithm: 'p256', publicKeyPem: 'pem' });
    expect(selections.map(({ token, key, pin }) => [token.token, key.label, pin.file])).toEqual([
      ['a', 'k', undefined],
      ['b', 'l', '/b'],
    ]);
    for (const { algorithm, publicKeyPem, engine } of selections) {
      expect({ algorithm, publicKeyPem, engine }).toEqual({
        algorithm: 'p256',
        publicKeyPem: 'pem',
        engine: { maxQueue: 5 },
      });
    }
    expect(selectionOf({ modulePath, uri }).token.token).toBe('a');
  });

  it('takes from the first what a replica leaves out; token, key and PIN whole', () => {
    const [first, second, third, fourth, ...rest] = selectionsOf({
      modulePath,
      slotIndex: 3,
      keyLabel: 'k',
      pinFile: '/a',
      timeoutMs: 500,
      maxQueue: 5,
      publicKeyPem: 'pem',
      attestationRootPem: 'root',
      replicas: [
        { tokenLabel: 'b', timeoutMs: 600 },
        { keyIdHex: '01', pinCommand: 'c' },
        { uri: 'pkcs11:token=d;object=l?module-path=/d.so&pin-source=/d', attestationRootPem: 'other' },
      ],
    });
    expect(rest).toEqual([]);
    expect(first).toMatchObject({ token: { slotIndex: 3 }, engine: { timeoutMs: 500, maxQueue: 5 } });
    const shared = { modulePath, algorithm: undefined, publicKeyPem: 'pem', attestationRootPem: 'root' };
    expect(second).toMatchObject({
      ...shared,
      token: { token: 'b' },
      key: { label: 'k' },
      pin: { file: '/a' },
      engine: { timeoutMs: 600, maxQueue: 5 },
    });
    expect(second?.token.slotIndex).toBeUndefined();
    expect(third).toMatchObject({ ...shared, token: { slotIndex: 3 }, key: { idHex: '01' } });
    expect(third?.key.label).toBeUndefined();
    expect(third?.pin).toMatchObject({ command: 'c' });
    expect(third?.pin.file).toBeUndefined();
    expect(fourth).toMatchObject({
      modulePath: '/d.so',
      token: { token: 'd' },
      key: { label: 'l' },
      pin: { file: '/d' },
      publicKeyPem: 'pem',
      attestationRootPem: 'other',
    });
  });

  it('takes wrong types in replicas for bugs', () => {
    const open = (replicas: unknown) => () => selectionsOf({ modulePath, replicas } as never);
    for (const replicas of ['b', [1], [null], [{ pin: 1 }], [{ publicKeyPem: 'x' }], [{ replicas: [] }]]) {
      expect(open(replicas)).toThrow(TypeError);
    }
    expect(open([{ processes: 0 }])).toThrow(RangeError);
    expect(open([{ inProcess: true }])).not.toThrow();
  });

  it('refuses processes for a module in this one, also where a replica says so', () => {
    for (const config of [
      { modulePath, inProcess: true, processes: 2 },
      { modulePath, processes: 2, replicas: [{ inProcess: true }] },
    ]) {
      expect(() => selectionsOf(config)).toThrow(/ERST_PKCS11_IN_PROCESS says that no process/);
    }
  });

  it('refuses a replica without a module', () => {
    const uri = 'pkcs11:token=a?module-path=/a.so pkcs11:token=b';
    expect(() => selectionsOf({ uri })).toThrow(/ERST_PKCS11_MODULE is not set/);
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
    const free = tokenNamed('', 0, {
      initialized: false,
      libraryManufacturer: 'SoftHSM',
    });
    const messageOf = (tokens: TokenSummary[]) =>
      failureOf(() => selectToken(tokens, { token: 'a' })).message;
    expect(messageOf([free])).toContain('SOFTHSM2_CONF');
    expect(messageOf([tokenNamed('b', 1), free])).not.toContain('SOFTHSM2_CONF');
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
