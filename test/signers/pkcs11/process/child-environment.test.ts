import { expect, test } from 'vitest';
import { childEnvironment } from '../../../../src/signers/pkcs11/process/child-environment.js';

test.each([
  'ERST_PKCS11_PIN',
  'ERST_PKCS11_PIN_FILE',
  'ERST_PKCS11_PIN_COMMAND',
  'ERST_PKCS11_PIN_CREDENTIAL',
  'ERST_HSM_SO_PIN',
  'erst_pkcs11_pin',
  'ERST_SOFTWARE_PASSPHRASE',
  'ERST_SOFTWARE_PASSPHRASE_COMMAND',
  'ERST_SOFTWARE_PRIVATE_KEY_PEM',
  'ERST_PKCS11_URI',
  'NODE_OPTIONS',
  'NODE_CHANNEL_FD',
  'NODE_V8_COVERAGE',
])('%s stays here', (name) => {
  expect(childEnvironment({ [name]: 'x' }, 1)).not.toHaveProperty(name);
});

test.each([
  'SOFTHSM2_CONF',
  'LD_LIBRARY_PATH',
  'YKCS11_DBG',
  'PIN',
  'ERST_PKCS11_MODULE',
  'ERST_PKCS11_TOKEN_LABEL',
  'HOME',
  'NODE_EXTRA_CA_CERTS',
])('%s is passed on', (name) => {
  expect(childEnvironment({ [name]: 'x' }, 1)).toMatchObject({ [name]: 'x' });
});

test('variables without a value are left out, and the pool holds every signature', () => {
  const env = childEnvironment({ A: undefined, UV_THREADPOOL_SIZE: '1' }, 36);
  expect(env).toEqual({ UV_THREADPOOL_SIZE: '40', GLIBC_TUNABLES: 'glibc.malloc.tcache_count=127' });
});

test("the user's tunables of glibc stay", () => {
  expect(childEnvironment({ GLIBC_TUNABLES: '' }, 1)).toMatchObject({ GLIBC_TUNABLES: '' });
});
