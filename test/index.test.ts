import { describe, expect, test } from 'vitest';
import * as browser from '../src/index.browser.js';
import * as node from '../src/index.js';

const both = [
  'ConfigError',
  'KeyError',
  'Pkcs11Error',
  'PublicKey',
  'RemoteError',
  'RemoteSigner',
  'Signature',
  'SignerError',
  'SignerFactory',
  'SoftwareSigner',
  'verifySignature',
];

describe('the entries export what is documented and nothing else', () => {
  test('Node', () => expect(Object.keys(node).sort()).toEqual([...both, 'Pkcs11Signer'].sort()));
  test('browsers', () => expect(Object.keys(browser).sort()).toEqual([...both, 'CredentialStore'].sort()));
});
