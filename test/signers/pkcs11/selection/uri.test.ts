import { describe, expect, it } from 'vitest';
import { ConfigError } from '../../../../src/errors.js';
import { parsePkcs11Uri } from '../../../../src/signers/pkcs11/selection/uri.js';

describe('parsePkcs11Uri', () => {
  it('reads every attribute of the path', () => {
    const path = [
      'token=The%20Software%20PKCS%2311%20Softtoken',
      'manufacturer=Snake%20Oil,%20Inc.',
      'serial=12345678',
      'model=1.0',
      'slot-id=327',
      'slot-description=a%3bb',
      'slot-manufacturer=m',
      'library-manufacturer=lm',
      'library-description=ld',
      'library-version=2.6',
      'object=my-signing%C3%A9-key',
      'id=%69%95%3E%5C%00%ff',
      'type=private',
    ];
    expect(parsePkcs11Uri(`pkcs11:${path.join(';')}`)).toEqual({
      token: {
        token: 'The Software PKCS#11 Softtoken',
        manufacturer: 'Snake Oil, Inc.',
        serial: '12345678',
        model: '1.0',
        slotId: 327n,
        slotDescription: 'a;b',
        slotManufacturer: 'm',
        libraryManufacturer: 'lm',
        libraryDescription: 'ld',
        libraryVersion: '2.6',
      },
      key: { label: 'my-signingé-key', idHex: '69953e5c00ff' },
      pin: {},
    });
  });

  it('reads the query, and ignores what it does not know there', () => {
    expect(
      parsePkcs11Uri('pkcs11:?module-path=/usr/lib/a.so&pin-value=p%261&x-vendor=1&module-name=a'),
    ).toEqual({
      token: {},
      key: {},
      modulePath: '/usr/lib/a.so',
      pin: { value: 'p&1' },
    });
    const pinOf = (uri: string) => parsePkcs11Uri(uri).pin;
    expect(pinOf('PKCS11:object=a?pin-source=file:///run/pin')).toEqual({ file: '/run/pin' });
    expect(pinOf('pkcs11:?pin-source=file:/run/pin')).toEqual({ file: '/run/pin' });
    expect(pinOf('pkcs11:?pin-source=/run/pin')).toEqual({ file: '/run/pin' });
    expect(pinOf('pkcs11:?pin-source=%7Cpass%20show%20pin')).toEqual({ command: 'pass show pin' });
  });

  it('matches everything where it says nothing', () => {
    expect(parsePkcs11Uri('pkcs11:')).toEqual({ token: {}, key: {}, pin: {} });
  });

  it.each([
    ['another scheme', 'pkcs12:token=a'],
    ['an unknown attribute in the path', 'pkcs11:token=a;x-vendor=b'],
    ['an attribute twice', 'pkcs11:token=a;token=b'],
    ['no value', 'pkcs11:token'],
    ['an empty attribute', 'pkcs11:token=a;;object=b'],
    ['half a percent-encoding', 'pkcs11:token=a%2'],
    ['text that is not UTF-8', 'pkcs11:token=%ff'],
    ['white space', 'pkcs11:token=my token'],
    ['a fragment', 'pkcs11:token=a#b'],
    ['another type of object', 'pkcs11:object=a;type=public'],
    ['a slot-id that is no number', 'pkcs11:slot-id=0x10'],
    ['two PINs', 'pkcs11:?pin-value=1234&pin-source=/run/pin'],
    ['a pin-source of another scheme', 'pkcs11:?pin-source=https://host/pin'],
  ])('refuses %s', (_, uri) => {
    expect(() => parsePkcs11Uri(uri)).toThrow(ConfigError);
    expect(() => parsePkcs11Uri(uri)).toThrow(/ERST_PKCS11_URI.*Example: pkcs11:/);
  });

  it('never repeats a PIN', () => {
    for (const uri of [
      'pkcs11:?pin-value=98765%zz',
      'pkcs11:?pin-value=98765&pin-source=x',
      'pkcs11:#?pin-value=98765',
    ]) {
      expect(() => parsePkcs11Uri(uri)).toThrow(expect.not.stringContaining('98765'));
      try {
        parsePkcs11Uri(uri);
      } catch (error) {
        expect(String((error as Error).stack)).not.toContain('98765');
      }
    }
  });
});
