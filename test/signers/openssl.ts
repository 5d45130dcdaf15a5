// The openssl command, as the other side of every encoding and signature.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';

/** Standard output of `openssl …args`; throws where it fails. */
export function openssl(args: readonly string[], input: Uint8Array | string = ''): Uint8Array {
  return new Uint8Array(execFileSync('openssl', args, { input, stdio: ['pipe', 'pipe', 'pipe'] }));
}

export const opensslText = (args: readonly string[], input: Uint8Array | string = '') =>
  Buffer.from(openssl(args, input)).toString();

/** A directory that lasts as long as the test file; `file` puts content there and gives the path. */
export function temporaryDirectory() {
  const path = mkdtempSync(join(tmpdir(), 'erst-hsm-'));
  afterAll(() => rmSync(path, { recursive: true, force: true }));
  let count = 0;
  const file = (content: Uint8Array | string, mode = 0o600) => {
    const name = join(path, `file-${count++}`);
    writeFileSync(name, content, { mode });
    return name;
  };
  return { path, file };
}

/** `openssl genpkey` arguments per algorithm. */
export const genpkey = {
  ed25519: ['genpkey', '-algorithm', 'ed25519'],
  secp256k1: ['genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:secp256k1'],
  p256: ['genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256'],
} as const;
