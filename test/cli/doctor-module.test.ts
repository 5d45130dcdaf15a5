// `erst-hsm doctor`: what it finds in a module's file, and in modules that do not load, or not survive it.

import { execFile } from 'node:child_process';
import {
  chmod,
  copyFile,
  mkdir,
  mkdtemp,
  readFile,
  rm,
  symlink,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SOFTHSM_MODULE } from '../fixtures/softhsm.js';
import { type Diagnosis, diagnose, pasted } from './doctor-diagnosis.js';

const run = promisify(execFile);

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'erst-doctor-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

/** With a configuration of SoftHSM that has no tokens yet. */
async function diagnoseModule(modulePath: string, own: Record<string, string> = {}): Promise<Diagnosis> {
  await mkdir(join(dir, 'tokens'), { recursive: true });
  await writeFile(join(dir, 'softhsm2.conf'), `directories.tokendir = ${join(dir, 'tokens')}\n`);
  const SOFTHSM2_CONF = join(dir, 'softhsm2.conf');
  return diagnose({ ERST_SIGNER_TYPE: 'pkcs11', ERST_PKCS11_MODULE: modulePath, SOFTHSM2_CONF, ...own });
}

/** Compiles `source` as a shared library in `dir`. */
async function library(name: string, source: string, ...options: string[]): Promise<string> {
  const path = join(dir, name);
  await writeFile(`${path}.c`, source);
  await run('gcc', ['-shared', '-fPIC', '-o', path, `${path}.c`, ...options]);
  return path;
}

/** A copy of SoftHSM whose file was changed. */
async function altered(change: (bytes: Buffer) => void): Promise<string> {
  const bytes = await readFile(SOFTHSM_MODULE);
  change(bytes);
  await writeFile(join(dir, 'altered.so'), bytes);
  return join(dir, 'altered.so');
}

describe('module.file', () => {
  it('is right', async () => {
    const link = join(dir, 'link.so');
    await symlink(SOFTHSM_MODULE, link);
    expect((await diagnoseModule(link)).of('module.file')).toMatchObject({
      status: 'ok',
      finding: expect.stringContaining('libsofthsm2.so)'),
    });
  });

  it.each([
    ['missing', async () => join(dir, 'absent.so'), /no such file/],
    ['in a folder that is a file', async () => join(await file('a'), 'b.so'), /no such file/],
    ['a directory', async () => dir, /no file/],
    ['no ELF', async () => file('#!/bin/sh\necho this is a script, not a library\n'), /no ELF/],
    ['empty', async () => file(''), /no ELF/],
    [
      'of another processor',
      () => altered((bytes) => bytes.writeUInt16LE(process.arch === 'arm64' ? 62 : 183, 18)),
      /another processor/,
    ],
    ['of 32 bits', () => altered((bytes) => bytes.writeUInt8(1, 4)), /32-bit/],
    ['cut short', cutShort, /cut short/],
  ] as const)('is %s', async (_, path, words) => {
    const diagnosis = await diagnoseModule(await path());
    const { status, finding, fix } = diagnosis.of('module.file');
    expect([status, finding]).toEqual(['failed', expect.stringMatching(words)]);
    expect(diagnosis.of('module.load').status).toBe('skipped');
    const after = await pasted(fix, {});
    expect((await diagnoseModule(after.ERST_PKCS11_MODULE!)).of('module.file').status).toBe('ok');
  });

  it('is a relative path', async () => {
    const { finding } = (await diagnoseModule('lib/absent.so')).of('module.file');
    expect(finding).toContain(join(process.cwd(), 'lib/absent.so'));
  });

  it('is missing where the same module is elsewhere, or a package brings it', async () => {
    expect((await diagnoseModule('/nowhere/libsofthsm2.so')).of('module.file').fix).toMatch(
      /^export .*libsofthsm2\.so$/,
    );
    const tpm = (await diagnoseModule('/nowhere/libtpm2_pkcs11.so')).of('module.file');
    expect(tpm.fix).toMatch(/libtpm2/);
  });

  it('can be changed by everyone', async () => {
    const path = join(dir, 'libsofthsm2.so');
    await copyFile(SOFTHSM_MODULE, path);
    await chmod(path, 0o666);
    const { status, fix } = (await diagnoseModule(path)).of('module.file');
    expect(status).toBe('warning');
    await pasted(fix!.replace(/^sudo /, ''), {});
    expect((await diagnoseModule(path)).of('module.file').status).toBe('ok');
  });

  it('is a name without a path', async () => {
    const { status, fix } = (await diagnoseModule('libsofthsm2.so')).of('module.file');
    expect([status, fix]).toEqual(['warning', expect.stringContaining('/libsofthsm2.so')]);
  });

  async function file(content: string): Promise<string> {
    await writeFile(join(dir, 'module.so'), content);
    return join(dir, 'module.so');
  }

  async function cutShort(): Promise<string> {
    const path = await altered(() => {});
    await truncate(path, 20_000);
    return path;
  }
});

describe('module.load', () => {
  it('says who made it', async () => {
    expect((await diagnoseModule(SOFTHSM_MODULE)).of('module.load')).toMatchObject({
      status: 'ok',
      finding: expect.stringMatching(/ 2\.\d+ of SoftHSM, written for PKCS#11 2\.\d+$/),
    });
  });

  it('is no PKCS#11 module', async () => {
    const diagnosis = await diagnoseModule(await library('plain.so', 'int plain(void) { return 1; }'));
    const { status, finding, fix } = diagnosis.of('module.load');
    expect([status, finding]).toEqual(['failed', expect.stringContaining('C_GetFunctionList')]);
    expect(fix).toMatch(/^export ERST_PKCS11_MODULE=/);
    expect(diagnosis.of('slots').status).toBe('skipped');
  });

  it('needs a library that is not there', async () => {
    const lacking = await library('liblacking.so', 'int lacking(void) { return 1; }');
    const source = 'int lacking(void); int C_GetFunctionList(void) { return lacking(); }';
    const path = await library('needs.so', source, lacking);
    await rm(lacking);
    const { status, finding, fix } = (await diagnoseModule(path)).of('module.load');
    expect([status, finding]).toEqual(['failed', expect.stringContaining('liblacking.so')]);
    const { stdout } = await run('bash', ['-c', fix!]);
    expect(stdout).toMatch(/liblacking\.so => not found/);
  });

  it.each([
    [
      'crashes while it loads',
      '#include <stdlib.h>\n__attribute__((constructor)) static void end(void) { abort(); }',
      /SIGABRT/,
    ],
    [
      'ends the process',
      '#include <unistd.h>\n__attribute__((constructor)) static void end(void) { _exit(3); }',
      /3/,
    ],
    [
      'crashes when it is called',
      'int C_GetFunctionList(void **list) { *list = 0; return *(volatile int *)0; }',
      /SIGSEGV/,
    ],
  ])('%s', async (_, source, words) => {
    const diagnosis = await diagnoseModule(await library('crashes.so', source));
    expect(diagnosis.of('module.load')).toMatchObject({
      status: 'failed',
      finding: expect.stringMatching(words),
    });
    expect(diagnosis.of('token').status).toBe('skipped');
  });

  it('never comes back', async () => {
    const source = '#include <unistd.h>\nint C_GetFunctionList(void) { for (;;) pause(); }';
    const path = await library('hangs.so', source);
    const { status, fix } = (await diagnoseModule(path, { ERST_PKCS11_TIMEOUT_MS: '2000' })).of(
      'module.load',
    );
    expect([status, fix]).toEqual(['failed', expect.stringContaining('erst-hsm doctor')]);
  });

  it('cannot be initialized', async () => {
    // As p11-kit's client where nothing listens.
    const source = `
      static unsigned long general_error(void *arguments) { return 5; }
      static void *functions[70] = { (void *)0x2802 };
      int C_GetFunctionList(void **list) {
        for (int i = 1; i < 70; i++) functions[i] = general_error;
        *list = functions;
        return 0;
      }`;
    const { status, finding } = (await diagnoseModule(await library('refuses.so', source))).of('module.load');
    expect([status, finding]).toEqual(['failed', expect.stringMatching(/C_Initialize.*CKR_GENERAL_ERROR/)]);
  });
});
