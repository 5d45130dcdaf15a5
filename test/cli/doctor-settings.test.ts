// `erst-hsm doctor`: what it finds in the ERST_ variables, before any module is loaded.

import { describe, expect, it } from 'vitest';
import { diagnose, pasted } from './doctor-diagnosis.js';

// Not there, so that nothing after the settings runs.
const base = { ERST_SIGNER_TYPE: 'pkcs11', ERST_PKCS11_MODULE: '/nowhere/module.so' };

describe('settings that are right', () => {
  it('are counted', async () => {
    const diagnosis = await diagnose({ ...base, ERST_PKCS11_KEY_ID: '01', HOMEBREW: 'x' });
    expect(diagnosis.of('settings')).toMatchObject({
      status: 'ok',
      finding: expect.stringMatching(/^3 set/),
    });
    expect(diagnosis.of('module.file').status).toBe('failed');
  });

  it('are walked through for each replica', async () => {
    const uri = 'pkcs11:token=a?module-path=/nowhere/a.so pkcs11:token=b?module-path=/nowhere/b.so';
    const { checks } = await diagnose({ ERST_SIGNER_TYPE: 'pkcs11', ERST_PKCS11_URI: uri });
    const files = checks.filter(({ id }) => id === 'module.file');
    expect(files.map(({ replica, finding }) => [replica, finding.split(':')[0]])).toEqual([
      [1, '/nowhere/a.so'],
      [2, '/nowhere/b.so'],
    ]);
    expect(checks.find(({ id }) => id === 'settings')).not.toHaveProperty('replica');
  });
});

describe('each problem is found, and cured by its fix', () => {
  it.each([
    ['unknown', { ERST_PKCS11_TOKEN_LABLE: 'mytoken' }, 'ERST_PKCS11_TOKEN_LABLE', /not a known/],
    ['unknown, like nothing', { ERST_PKCS11_COLOUR: 'red' }, 'ERST_PKCS11_COLOUR', /not a known/],
    ['empty', { ERST_PKCS11_PUBLIC_KEY_PEM: '' }, 'ERST_PKCS11_PUBLIC_KEY_PEM', /empty/],
    ['wrong', { ERST_PKCS11_PIV_SLOT: '99' }, 'ERST_PKCS11_PIV_SLOT', /9a, 9c/],
    ['wrong number', { ERST_PKCS11_SLOT: 'first' }, 'ERST_PKCS11_SLOT', /whole number/],
    ['wrong type', { ERST_SIGNER_TYPE: 'pkcs#11' }, 'ERST_SIGNER_TYPE', /one of/],
    ['two PINs', { ERST_PKCS11_PIN: '1', ERST_PKCS11_PIN_FILE: '/x' }, 'ERST_PKCS11_PIN_FILE', /both set/],
    [
      'two keys',
      { ERST_PKCS11_KEY_ID: '01', ERST_PKCS11_PIV_SLOT: '9a' },
      'ERST_PKCS11_PIV_SLOT',
      /both set/,
    ],
    [
      'a PIN in the URI as well',
      { ERST_PKCS11_URI: 'pkcs11:?pin-value=1', ERST_PKCS11_PIN: '1' },
      'ERST_PKCS11_URI',
      /keep one/,
    ],
  ])('%s', async (_, wrong, name, words) => {
    const env = { ...base, ...wrong };
    const diagnosis = await diagnose(env);
    const { status, finding, fix } = diagnosis.of(`settings.${name}`);
    expect(status).toBe('failed');
    expect(finding).toMatch(words);
    const after = await diagnose(await pasted(fix, env));
    expect(after.of('settings').status).toBe('ok');
  });

  it('takes the value along where a name was mistyped', async () => {
    const env = { ...base, ERST_PKCS11_TOKEN_LABLE: "it's mine" };
    const { fix } = (await diagnose(env)).of('settings.ERST_PKCS11_TOKEN_LABLE');
    const after = await pasted(fix, env);
    expect(after).toMatchObject({ ERST_PKCS11_TOKEN_LABEL: "it's mine" });
    expect(after).not.toHaveProperty('ERST_PKCS11_TOKEN_LABLE');
  });

  it('a name that no shell has, without running any of it', async () => {
    const name = 'ERST_PKCS11_$(touch pwned)';
    const { fix } = (await diagnose({ ...base, [name]: '1' })).of(`settings.${name}`);
    expect(fix).toMatch(/^#/);
  });

  it('all at once', async () => {
    const wrong = { ERST_PKCS11_PINN_FILE: '/x', ERST_PKCS11_KEY_ID: 'xyz', ERST_PKCS11_SLOT: '' };
    const diagnosis = await diagnose({ ...base, ...wrong });
    expect(diagnosis.all('failed').sort()).toEqual([
      'module.file',
      ...Object.keys(wrong)
        .map((name) => `settings.${name}`)
        .sort(),
    ]);
  });
});

it('goes on to the module, but to no token, while a setting is wrong', async () => {
  const diagnosis = await diagnose({ ...base, ERST_PKCS11_TOKEN_LABLE: 'mytoken' });
  expect(diagnosis.of('module.file').status).toBe('failed');
  expect(diagnosis.of('token')).toMatchObject({
    status: 'skipped',
    finding: expect.stringContaining('not reached'),
  });
  expect(diagnosis.of('login').status).toBe('skipped');
});

it('names a module that is installed where none is configured', async () => {
  const diagnosis = await diagnose({ ERST_SIGNER_TYPE: 'pkcs11' });
  const { status, fix } = diagnosis.of('settings.ERST_PKCS11_MODULE');
  expect(status).toBe('failed');
  const after = await diagnose(await pasted(fix, { ERST_SIGNER_TYPE: 'pkcs11' }));
  expect(after.of('module.file').status).toBe('ok');
});

it.each([undefined, 'software'])('warns where ERST_SIGNER_TYPE is %s', async (ERST_SIGNER_TYPE) => {
  const env = { ...base, ERST_SIGNER_TYPE };
  const { status, fix } = (await diagnose(env)).of('settings.type');
  expect(status).toBe('warning');
  expect((await diagnose(await pasted(fix, env))).all('warning')).toEqual([]);
});

it('never shows a PIN', async () => {
  const PIN = '84621379';
  const wrong = [
    { ERST_PKCS11_PIN: PIN, ERST_PKCS11_PIN_FILE: '/x' },
    { ERST_PKCS11_PINN: PIN },
    { ERST_PKCS11_URI: `pkcs11:nothing=1?pin-value=${PIN}` },
    { ERST_PKCS11_URI: `pkcs11:?pin-value=${PIN}&pin-source=/x` },
  ];
  for (const each of wrong) {
    expect(JSON.stringify((await diagnose({ ...base, ...each })).checks)).not.toContain(PIN);
  }
});
