// The shape of what `--json` prints, which scripts rely on: docs/CLI.md names each of these fields.

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createSoftHsmToken, type SoftHsmToken } from '../fixtures/softhsm.js';
import { useCommand } from './command.js';
import { hsm, useVariables, variablesOf } from './hsm-command.js';

const command = useCommand();
let token: SoftHsmToken;
let documented: string;
beforeAll(async () => {
  token = await createSoftHsmToken({ keys: ['ed25519'] });
  documented = await readFile(new URL('../../docs/CLI.md', import.meta.url), 'utf8');
});
afterAll(() => token.remove());
useVariables(() => token);

/** The part of docs/CLI.md from `start` on, up to `end`. */
function part(start: string, end: string): string {
  const from = documented.indexOf(start);
  const to = documented.indexOf(end, from + start.length);
  expect(Math.min(from, to), `"${start}" and "${end}" in docs/CLI.md`).toBeGreaterThan(0);
  return documented.slice(from, to);
}
/** The fields of `shown` are `fields`, and `text` names each. */
function expectFields(shown: object, fields: string[], text: string): void {
  expect(Object.keys(shown).sort()).toEqual([...fields].sort());
  for (const field of fields) expect(text, field).toMatch(new RegExp(`[\`"]${field}[\`"]`));
}
const json = async (...args: string[]) => JSON.parse(await hsm(...args, '--json'));

const TOKEN = [
  'slotIndex',
  'label',
  'model',
  'serial',
  'manufacturer',
  'mechanisms',
  'firmwareVersion',
  'hardwareVersion',
];
const STATE = [
  'initialized',
  'loginRequired',
  'writeProtected',
  'ownKeypad',
  'removable',
  'hardware',
  'pin',
  'soPin',
  'pinBytes',
];
const PLACE = [
  'slotId',
  'slotDescription',
  'slotManufacturer',
  'libraryManufacturer',
  'libraryDescription',
  'libraryVersion',
];

describe('--json of', () => {
  it('hsm slots', async () => {
    const [shown] = await json('slots');
    expectFields(shown, [...TOKEN, ...STATE, ...PLACE], part('**`hsm slots`**', '**`hsm keys`**'));
    expect(shown).toMatchObject({ pin: 'ok', soPin: 'ok', pinBytes: { min: 4, max: 255 } });
  });

  it('hsm keys', async () => {
    const fields = ['label', 'id', 'algorithm', 'signs', 'publicKey', 'origin', 'leaves'];
    expectFields((await json('keys'))[0], fields, part('**`hsm keys`**', '**`hsm keygen'));
  });

  it('hsm keygen, import, delete', async () => {
    const text = part('**`hsm keygen', '**`hsm attest`**');
    const made = ['algorithm', 'label', 'id', 'publicKey', 'publicKeyPem'];
    expectFields(await json('keygen', '--label', 'made'), made, text);
    const pem = join(token.directory, 'key.pem');
    const { out } = await command.run(['keygen']);
    await writeFile(pem, `${out}\n`, { mode: 0o600 });
    expectFields(await json('import', pem, '--label', 'imported'), made, text);
    const deleted = ['algorithm', 'label', 'id', 'publicKey', 'objects'];
    for (const label of ['made', 'imported'])
      expectFields(await json('delete', '--label', label, '--yes'), deleted, text);
  });

  it('hsm init-token', async () => {
    process.env.ERST_PKCS11_SO_PIN = 'new-so-pin';
    const shown = await json('init-token', '--label', 'fresh');
    expectFields(shown, ['label', 'slotIndex', 'serial'], part('**`hsm init-token', '## doctor'));
  });

  it('doctor and conformance', async () => {
    const env = {
      ...variablesOf(token),
      SOFTHSM2_CONF: token.env.SOFTHSM2_CONF!,
      ERST_SIGNER_TYPE: 'pkcs11',
    };
    const report = JSON.parse((await command.run(['doctor', '--json'], { env })).out);
    const text = part('## doctor', '## conformance');
    expectFields(report, ['status', 'checks'], text);
    const postponed = report.checks.find(({ id }: { id: string }) => id === 'login');
    expectFields(postponed, ['id', 'status', 'finding', 'fix'], text);

    const checked = JSON.parse(
      (await command.run(['conformance', '--batch-size', '3', '--json'], { env })).out,
    );
    const conformance = documented.slice(documented.indexOf('## conformance'));
    expectFields(checked, ['erstHsm', 'runtime', 'signerType', 'module', 'token', 'runs'], conformance);
    expectFields(
      checked.module,
      ['file', 'manufacturer', 'description', 'version', 'cryptokiVersion'],
      conformance,
    );
    expectFields(checked.token, ['manufacturer', 'model', 'firmware', 'hardware'], conformance);
    expectFields(checked.runs[0], ['algorithm', 'passed', 'failed', 'results'], conformance);
    expectFields(checked.runs[0].results[0], ['rule', 'passed', 'durationMs'], conformance);
  });
});
