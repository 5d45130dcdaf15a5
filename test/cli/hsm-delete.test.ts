// `erst-hsm hsm delete` on a real SoftHSM token: what is deleted, and above all what is not.

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createSoftHsmToken, type SoftHsmToken } from '../fixtures/softhsm.js';
import { useCommand } from './command.js';
import { atTerminal, failureOf, hsm, useVariables, variablesOf } from './hsm-command.js';

const command = useCommand();
let token: SoftHsmToken;
beforeAll(async () => {
  token = await createSoftHsmToken({ keys: [{ algorithm: 'p256', label: 'stays', idHex: '99' }] });
  await token.pkcs11Tool('--keypairgen', '--key-type', 'rsa:2048', '--label', 'rsa', '--id', '98');
});
afterAll(() => token.remove());
useVariables(() => token);

let label = '';
let idHex = '';
let next = 0;
beforeEach(async () => {
  idHex = (++next).toString(16).padStart(2, '0');
  label = `key ${idHex}`;
  await token.addKey({ algorithm: 'ed25519', label, idHex });
});

/** By OpenSC's own tool: both objects of a pair, or neither. */
async function objects(name: string): Promise<number> {
  const listed = await token.pkcs11Tool('--list-objects');
  return listed.split('\n').filter((line) => line.trim() === `label:      ${name}`).length;
}

describe('hsm delete', () => {
  it('deletes both objects of the key, and no other key', async () => {
    expect(await objects(label)).toBe(2);
    const deleted = JSON.parse(await hsm('delete', '--label', label, '--yes', '--json'));
    expect(deleted).toEqual({
      algorithm: 'ed25519',
      label,
      id: idHex,
      publicKey: expect.stringMatching(/^[0-9a-f]{64}$/),
      objects: 2,
    });
    expect(await objects(label)).toBe(0);
    expect(await objects('stays')).toBe(2);
    expect(await objects('rsa')).toBe(2);
  });

  it('takes the id in place of the label, and both where one is not enough', async () => {
    await token.addKey({ algorithm: 'p256', label, idHex: '77' });
    const error = await failureOf(hsm('delete', '--label', label, '--yes'));
    expect(error.code).toBe('key-ambiguous');
    expect(error.message).toMatch(/id 77, p256.*--id/);
    expect(await objects(label)).toBe(4);
    await hsm('delete', '--label', label, '--id', '77', '--yes');
    expect(await objects(label)).toBe(2);
    await hsm('delete', '--id', idHex, '--yes');
    expect(await objects(label)).toBe(0);
  });

  it('does not let a variable choose', async () => {
    process.env.ERST_PKCS11_KEY_LABEL = label;
    await expect(hsm('delete', '--yes')).rejects.toThrow('--label or --id');
    process.env.ERST_PKCS11_KEY_LABEL = 'stays';
    await hsm('delete', '--label', label, '--yes');
    expect(await objects('stays')).toBe(2);
    expect(await objects(label)).toBe(0);
  });

  it('says what is there where it finds no such key', async () => {
    const error = await failureOf(hsm('delete', '--label', 'absent', '--yes'));
    expect(error.code).toBe('key-not-found');
    expect(error.message).toContain('"stays"');
  });

  it('leaves keys of other types alone', async () => {
    expect((await failureOf(hsm('delete', '--label', 'rsa', '--yes'))).code).toBe('unsupported-algorithm');
    expect(await objects('rsa')).toBe(2);
  });

  it('deletes nothing unasked where there is no terminal', async () => {
    const env = { ...variablesOf(token), SOFTHSM2_CONF: token.env.SOFTHSM2_CONF! };
    const { code, stderr } = await command.run(['hsm', 'delete', '--label', label], { env });
    expect(code).toBe(1);
    expect(stderr).toMatch(/Nothing was done: add --yes/);
    expect(await objects(label)).toBe(2);
  });

  it('asks for the label at a terminal', async () => {
    const env = { ...variablesOf(token), SOFTHSM2_CONF: token.env.SOFTHSM2_CONF };
    const question = `Type ${label} to go on: `;
    const type = (answer: string) =>
      atTerminal(command, ['hsm', 'delete', '--label', label], env, [{ question, answer }]);
    expect(await type('stays')).toMatch(/that is not .*nothing was done/);
    expect(await objects(label)).toBe(2);
    const screen = await type(label);
    expect(screen).toContain('no copy of it is left');
    expect(screen).toMatch(/deleted from token "test token" \(2 objects\)/);
    expect(await objects(label)).toBe(0);
  });
});
