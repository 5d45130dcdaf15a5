// `erst-hsm hsm slots|keys|keygen` on a real SoftHSM token.

import { createPublicKey } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Pkcs11Signer } from '../../src/signers/pkcs11/pkcs11-signer.js';
import { verifySignature } from '../../src/signers/verify.js';
import { createSoftHsmToken, type SoftHsmToken } from '../fixtures/softhsm.js';
import { useCommand } from './command.js';
import { atTerminal, failureOf, hsm, runHsm, useVariables, variablesOf } from './hsm-command.js';

const command = useCommand();
let token: SoftHsmToken;
beforeAll(async () => {
  token = await createSoftHsmToken({
    keys: ['ed25519', { algorithm: 'p256', label: 'careful', alwaysAuthenticate: true }],
  });
});
afterAll(() => token.remove());
useVariables(() => token);

describe('hsm slots', () => {
  it('lists tokens, without a PIN', async () => {
    delete process.env.ERST_PKCS11_PIN_FILE;
    const [first, second] = JSON.parse(await hsm('slots', '--json'));
    expect(first).toMatchObject({
      slotIndex: 0,
      initialized: true,
      loginRequired: true,
      label: 'test token',
      manufacturer: 'SoftHSM project',
      mechanisms: ['CKM_EDDSA', 'CKM_ECDSA'],
    });
    expect(first.slotId).toMatch(/^\d+$/);
    expect(second).toMatchObject({ slotIndex: 1, initialized: false });
    const [line] = (await hsm('slots')).split('\n');
    expect(line!.split('\t').slice(0, 3)).toEqual(['0', 'test token', 'SoftHSM v2']);
  });

  it('takes the module from its option before the variable', async () => {
    process.env.ERST_PKCS11_MODULE = '/nowhere.so';
    expect((await failureOf(hsm('slots'))).code).toBe('module-load-failed');
    expect(JSON.parse(await hsm('slots', '--module', token.modulePath, '--json'))).toHaveLength(2);
    delete process.env.ERST_PKCS11_MODULE;
    expect((await failureOf(hsm('slots'))).message).toContain('ERST_PKCS11_MODULE');
  });
});

describe('hsm keys', () => {
  it('lists keys with what they sign and their public keys', async () => {
    const keys = JSON.parse(await hsm('keys', '--json'));
    expect(keys).toEqual([
      {
        label: 'careful',
        id: '02',
        algorithm: 'p256',
        signs: 'pin-each-time',
        origin: 'token',
        leaves: 'never',
        publicKey: expect.stringMatching(/^0[23][0-9a-f]{64}$/),
      },
      {
        label: 'ed25519',
        id: '01',
        algorithm: 'ed25519',
        signs: 'yes',
        origin: 'token',
        leaves: 'never',
        publicKey: expect.stringMatching(/^[0-9a-f]{64}$/),
      },
    ]);
    expect((await hsm('keys')).split('\n')[0]!.split('\t').slice(0, 4)).toEqual([
      'careful',
      '02',
      'p256',
      'pin-each-time',
    ]);
  });

  it('shows public keys only where there is no PIN', async () => {
    delete process.env.ERST_PKCS11_PIN_FILE;
    const keys = JSON.parse(await hsm('keys', '--json'));
    expect(keys).toHaveLength(2);
    expect(keys.map(({ signs }: { signs: string }) => signs)).toEqual(['no', 'no']);
    expect((await runHsm('keys')).notes).toContain('ERST_PKCS11_PIN_FILE');
  });

  it('asks for the PIN at a terminal, and takes Enter for none', async () => {
    const { ERST_PKCS11_PIN_FILE: _, ...variables } = variablesOf(token);
    const env = { ...variables, SOFTHSM2_CONF: token.env.SOFTHSM2_CONF };
    const question = 'PIN of token "test token" (Enter: public keys only): ';
    const list = (answer: string) => atTerminal(command, ['hsm', 'keys'], env, [{ question, answer }]);
    const all = await list(token.pin);
    expect(all).toContain('pin-each-time');
    expect(all).not.toContain(token.pin);
    expect(await list('')).toContain('Without a PIN, public keys only');
  });

  it('is patient while other processes log in', async () => {
    const env = { ...variablesOf(token), SOFTHSM2_CONF: token.env.SOFTHSM2_CONF! };
    const runs = Array.from({ length: 10 }, () => command.run(['hsm', 'keys', '--json'], { env }));
    for (const { code, out, stderr } of await Promise.all(runs)) {
      expect(stderr).toBe('');
      expect(code).toBe(0);
      expect(JSON.parse(out)).toHaveLength(2);
    }
  });

  it('lists slots also where a URI names several tokens', async () => {
    delete process.env.ERST_PKCS11_TOKEN_LABEL;
    process.env.ERST_PKCS11_URI = 'pkcs11:token=test%20token pkcs11:token=other';
    expect(JSON.parse(await hsm('slots', '--json'))).toHaveLength(2);
  });

  it('finds the token by option before variable, by position, by URI', async () => {
    process.env.ERST_PKCS11_TOKEN_LABEL = 'absent';
    expect((await failureOf(hsm('keys'))).code).toBe('token-not-found');
    for (const option of [
      ['--token-label', 'test token'],
      ['--slot', '0'],
    ]) {
      expect(JSON.parse(await hsm('keys', '--json', ...option))).toHaveLength(2);
    }
    delete process.env.ERST_PKCS11_TOKEN_LABEL;
    process.env.ERST_PKCS11_URI = 'pkcs11:token=test%20token;object=ed25519';
    expect(JSON.parse(await hsm('keys', '--json'))).toHaveLength(2);
    delete process.env.ERST_PKCS11_URI;
    process.env.ERST_PKCS11_SLOT = '0';
    expect(JSON.parse(await hsm('keys', '--json'))).toHaveLength(2);
    process.env.ERST_PKCS11_SLOT = 'first';
    expect((await failureOf(hsm('keys'))).message).toContain('ERST_PKCS11_SLOT');
  });

  it('has no option for a PIN', async () => {
    await expect(hsm('keys', '--pin', '12345678')).rejects.toThrow('unknown option');
    await expect(hsm('keys', '--slot', 'first')).rejects.toThrow('position');
  });
});

describe('sign', () => {
  it('asks for the PIN at a terminal', async () => {
    const { ERST_PKCS11_PIN_FILE: _, ...variables } = variablesOf(token);
    const env = {
      ...variables,
      ERST_SIGNER_TYPE: 'pkcs11',
      ERST_PKCS11_KEY_LABEL: 'ed25519',
      SOFTHSM2_CONF: token.env.SOFTHSM2_CONF,
    };
    const question = 'PIN of the token: ';
    const screen = await atTerminal(command, ['pubkey', '--format', 'hex'], env, [
      { question, answer: token.pin },
    ]);
    expect(screen).toMatch(/^[0-9a-f]{64}\r$/m);
    expect(screen).not.toContain(token.pin);
  });
});

describe('hsm keygen', () => {
  it.each(['ed25519', 'secp256k1', 'p256'] as const)(
    'makes a %s key that signs and stays',
    async (algorithm) => {
      const pem = await hsm('keygen', '--algorithm', algorithm, '--label', `new-${algorithm}`);
      expect(createPublicKey(pem).type).toBe('public');
      await using signer = await Pkcs11Signer.open({
        ...token.config(`new-${algorithm}`),
        publicKeyPem: pem,
        algorithm,
      });
      const data = Uint8Array.of(1);
      expect(await verifySignature(await signer.publicKey(), data, await signer.sign(data))).toBe(true);
      const id = signer.signerInfo().metadata.keyId!;
      expect(id).toMatch(/^[0-9a-f]{16}$/);
      const listed = await token.pkcs11Tool('--list-objects', '--type', 'privkey');
      const object = listed.split('Private Key Object').find((one) => one.includes(id));
      expect(object).toContain('sensitive, always sensitive, never extractable, local');
    },
  );

  it('takes an id and prints JSON', async () => {
    const made = JSON.parse(await hsm('keygen', '--label', 'chosen', '--id', 'AB01', '--json'));
    expect(made).toMatchObject({ algorithm: 'ed25519', label: 'chosen', id: 'ab01' });
    expect(made.publicKeyPem).toContain('BEGIN PUBLIC KEY');
    expect(made.publicKey).toHaveLength(64);
  });

  it('refuses a label or an id that is taken, and makes nothing', async () => {
    const before = await hsm('keys', '--json');
    for (const args of [
      ['--label', 'ed25519'],
      ['--label', 'other', '--id', '01'],
    ]) {
      const error = await failureOf(hsm('keygen', ...args));
      expect(error.code).toBe('key-ambiguous');
      expect(error.message).toContain('already');
    }
    expect(await hsm('keys', '--json')).toBe(before);
  });

  it('refuses what it does not understand', async () => {
    await expect(hsm('keygen')).rejects.toThrow('--label');
    await expect(hsm('keygen', '--label', 'a', '--algorithm', 'rsa')).rejects.toThrow('rsa');
    await expect(hsm('keygen', '--label', 'a', '--id', '1')).rejects.toThrow('hex');
    delete process.env.ERST_PKCS11_PIN_FILE;
    expect((await failureOf(hsm('keygen', '--label', 'a'))).code).toBe('pin-missing');
  });
});
