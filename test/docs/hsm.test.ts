// docs/HSM.md does what it says: its lines are run as they stand, on SoftHSM and on a YubiKey in software, and its tables
// name what there is.

import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { hsmCommand } from '../../src/cli/hsm.js';
import { settings } from '../../src/signers/config/settings.js';
import type { TokenSummary } from '../../src/signers/pkcs11/engine/hosted-module.js';
import { describeKey } from '../../src/signers/pkcs11/key/key-metadata.js';
import type { SelectedKey } from '../../src/signers/pkcs11/selection/select-key.js';
import { useCommand } from '../cli/command.js';
import { P11_KIT_CLIENT } from '../fixtures/p11-kit.js';
import { createPivCard } from '../fixtures/piv-card/piv-card.js';
import { SOFTHSM_MODULE } from '../fixtures/softhsm.js';
import { blocksOf, filesOf, guide, runLines } from './guide.js';

const root = new URL('../../', import.meta.url);
const command = useCommand();

/** The lines with the modules where this machine has them. */
const here = (lines: string) =>
  lines
    .replaceAll('/usr/lib/softhsm/libsofthsm2.so', SOFTHSM_MODULE)
    .replaceAll('/usr/lib/x86_64-linux-gnu', dirname(dirname(P11_KIT_CLIENT)));

/** The files that the guide shows, and the package as `npm install` would leave it. */
async function writeReadersFiles(): Promise<void> {
  for (const [name, text] of filesOf()) {
    // On a port of its own: others of this machine may use the usual one.
    await writeFile(command.path(name), here(text).replace('localhost:27183', 'localhost:0'));
  }
  await mkdir(command.path('node_modules'));
  await symlink(fileURLToPath(root), command.path('node_modules/erst-hsm'));
}

/** Every name in the first cell of a row, of all tables. */
const firstCells = new Set(
  [...guide.matchAll(/^\| (`.*?) +\|/gm)].flatMap(([, cell]) =>
    [...cell!.matchAll(/`([\w.-]+)`/g)].map(([, name]) => name),
  ),
);

describe('docs/HSM.md', () => {
  it('leads from nothing to signatures that OpenSSL accepts, on SoftHSM', async () => {
    const blocks = blocksOf('run');
    expect(blocks).toHaveLength(10);
    await writeReadersFiles();
    const printed = await runLines(blocks.map(here), command);
    expect(printed.match(/^Signature Verified Successfully$/gm), 'the second by the bridge').toHaveLength(2);
    expect(printed, 'by sign.mjs').toMatch(/^true$/m);
    expect(printed.match(/^Verified OK$/gm), 'the second through p11-kit').toHaveLength(2);
    expect(printed).toMatch(/^treasury\t[0-9a-f]{16}\ted25519\tyes\t[0-9a-f]{64}\ttoken\tnever$/m);
    expect(printed).toMatch(/^moved\t[0-9a-f]{16}\ted25519\tyes\t[0-9a-f]{64}\timported\tno$/m);
    expect(printed).toMatch(/^ok +signature +ed25519, made in .* and verified/m);
    expect(printed).toContain('-----BEGIN PUBLIC KEY-----');
  });

  it('leads from a new YubiKey to a signature and an attestation, on a card in software', async () => {
    const blocks = blocksOf('run on a card');
    expect(blocks).toHaveLength(5);
    const card = await createPivCard({ keys: [] });
    try {
      await writeFile(command.path('yubico-roots.pem'), card.rootCertificatePem);
      const { LD_LIBRARY_PATH, PIV_CARD_SOCKET } = card.env;
      const printed = await runLines(blocks.map(here), command, { LD_LIBRARY_PATH, PIV_CARD_SOCKET });
      expect(printed).toMatch(/^ok +signature +p256, made in .* and verified/m);
      expect(printed).toContain('Verified OK');
      expect(printed, 'the signature through OpenSC').toMatch(/^[0-9a-f]{128}$/m);
      expect(await readFile(command.path('chain.pem'), 'utf8')).toMatch(/(-----BEGIN CERT[\s\S]*?){3}/);
      expect(await card.refusedTries()).toBe(0);
    } finally {
      await card.close();
    }
  });

  it('names every setting and its field', () => {
    const own = settings.filter(({ field }) => field.startsWith('pkcs11.'));
    expect(own.length).toBeGreaterThan(15);
    for (const { field, variable } of own) {
      if (variable !== undefined) expect(firstCells).toContain(variable);
      expect(guide).toMatch(new RegExp(`^\\| [^|]*\\| \`${field.slice('pkcs11.'.length)}\` +\\|`, 'm'));
    }
  });

  it('names every error code of PKCS#11', async () => {
    const errors = await readFile(new URL('src/errors.ts', root), 'utf8');
    const part = /\/\/ PKCS#11\n(.*?)\/\/ a key behind a bridge/s.exec(errors)![1]!;
    const codes = [...part.matchAll(/\| '([\w-]+)'/g)].map(([, code]) => code!);
    expect(codes.length).toBeGreaterThan(8);
    const others = ['invalid-config', 'key-mismatch', 'signature-invalid', 'signer-closed', 'timeout'];
    for (const code of [...codes, ...others]) expect(firstCells).toContain(code);
  });

  it('names every verb, every check of the doctor and every field of the metadata', async () => {
    for (const verb of hsmCommand().commands) expect(firstCells).toContain(verb.name());
    for (const check of await doctorsChecks()) expect(firstCells).toContain(check);
    const { metadata } = describeKey('', {} as TokenSummary, { algorithm: 'p256' } as SelectedKey, '');
    for (const field of [...Object.keys(metadata), 'replicas']) expect(firstCells).toContain(field);
  });

  it('names tests that there are for each row of the bad day', () => {
    const table = /^## On a bad day\n(.*?)^## /ms.exec(guide)![1]!;
    const rows = table.split('\n').filter((line) => /^\| (?!fault|---)/.test(line));
    expect(rows.length).toBeGreaterThan(15);
    for (const row of rows) {
      const tests =
        row
          .split('|')
          .at(-2)!
          .match(/[\w/-]+/g) ?? [];
      expect(tests, row).not.toEqual([]);
      for (const test of tests) expect(existsSync(new URL(`test/${test}.test.ts`, root)), test).toBe(true);
    }
  });
});

async function doctorsChecks(): Promise<string[]> {
  const folder = new URL('src/cli/doctor/', root);
  const sources = await Promise.all(
    (await readdir(folder)).map((file) => readFile(new URL(file, folder), 'utf8')),
  );
  const ids = sources.flatMap((source) =>
    [...source.matchAll(/= check\(\s*'([\w.]+)'/g)].map(([, id]) => id!),
  );
  expect(ids.length).toBeGreaterThan(12);
  return ids;
}
