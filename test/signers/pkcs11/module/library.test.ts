// What is said where the module or the package pkcs11js cannot be loaded.

import { execFile } from 'node:child_process';
import { copyFile, cp, mkdtemp, open, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Pkcs11Error, type SignerError } from '../../../../src/errors.js';
import { canonicalPath, problemWith } from '../../../../src/signers/pkcs11/module/library.js';
import { LoadedModule } from '../../../../src/signers/pkcs11/module/loaded-module.js';
import { createSoftHsmToken, SOFTHSM_MODULE, type SoftHsmToken } from '../../../fixtures/softhsm.js';

let directory: string;
let token: SoftHsmToken;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'erst-library-'));
  token = await createSoftHsmToken({ keys: ['ed25519'] });
});
afterAll(async () => {
  await token.remove();
  await rm(directory, { recursive: true });
});

const failure = (modulePath: string): Promise<SignerError> =>
  LoadedModule.load(modulePath).then(
    () => expect.unreachable('did not fail'),
    (error) => error,
  );

async function libraryOfTheSystem(): Promise<string> {
  const directories = ['/lib/x86_64-linux-gnu', '/lib/aarch64-linux-gnu', '/lib64', '/lib', '/usr/lib'];
  for (const place of directories) {
    const names = await readdir(place).catch(() => []);
    const name = names.find((candidate) => /^libz\.so\.1$|^libm\.so\.6$/.test(candidate));
    if (name !== undefined) return join(place, name);
  }
  throw new Error('no library to try');
}

describe('a module that cannot be loaded', () => {
  it('because it is not there', async () => {
    const error = await failure('/nowhere/libp11.so');
    expect(error).toBeInstanceOf(Pkcs11Error);
    expect(error.code).toBe('module-load-failed');
    expect(error.message).toContain('/nowhere/libp11.so: there is no such file');
    expect(error.message).toContain('ERST_PKCS11_MODULE');
    expect((await failure('libnowhere-p11.so')).code).toBe('module-load-failed');
  });

  it('because it is no library', async () => {
    const text = join(directory, 'text.so');
    await writeFile(text, 'not a library');
    expect((await failure(text)).message).toContain('no ELF library');
    await writeFile(text, '');
    expect((await failure(text)).message).toContain('no ELF library');
    expect((await failure(directory)).message).toContain('no file');
  });

  it('because it is half a library', async () => {
    const half = join(directory, 'half.so');
    await copyFile(SOFTHSM_MODULE, half);
    const file = await open(half, 'r+');
    await file.truncate(4096);
    await file.close();
    // It would end the process if it reached the loader.
    expect((await failure(half)).message).toContain('cut short');
  });

  it('because it is for another processor', async () => {
    const other = join(directory, 'other.so');
    await copyFile(SOFTHSM_MODULE, other);
    const file = await open(other, 'r+');
    await file.write(Uint8Array.of(0xf3, 0x00), 0, 2, 18); // ELF e_machine: RISC-V
    await file.close();
    expect((await failure(other)).message).toContain('another processor (ELF machine 243');
  });

  it('because it is another kind of library, and trying again is safe', async () => {
    const library = await libraryOfTheSystem();
    for (let i = 0; i < 3; i++) {
      const error = await failure(library);
      expect(error.code).toBe('module-load-failed');
      expect(error.message).toContain('no C_GetFunctionList');
    }
  });

  it('leaves the process able to load another', async () => {
    const module = await LoadedModule.load(token.modulePath);
    expect((await module.tokens())[0]!.label).toBe(token.tokenLabel);
    await module.close();
  });
});

describe('one module under two names', () => {
  it('has one path', async () => {
    const link = join(directory, 'link.so');
    await symlink(SOFTHSM_MODULE, link);
    expect(await canonicalPath(link)).toBe(await canonicalPath(SOFTHSM_MODULE));
    expect(await canonicalPath('libsofthsm2.so')).toBe('libsofthsm2.so'); // for the loader to find
  });
});

describe('headers', () => {
  const elf = (machine: number, elfClass = 2) => {
    const header = new Uint8Array(64);
    header.set([0x7f, 0x45, 0x4c, 0x46, elfClass, 1]);
    header[18] = machine;
    return header;
  };
  it('of ELF, Mach-O and PE', () => {
    expect(problemWith(elf(62), 64, 'linux', 'x64')).toBeUndefined();
    expect(problemWith(elf(183), 64, 'linux', 'arm64')).toBeUndefined();
    expect(problemWith(elf(62), 64, 'linux', 'arm64')).toContain('another processor');
    expect(problemWith(elf(62, 1), 64, 'linux', 'x64')).toContain('32-bit');
    expect(problemWith(elf(62).subarray(0, 10), 64, 'linux', 'x64')).toContain('cut short');
    const sections = elf(62);
    sections[41] = 1; // e_shoff = 256
    expect(problemWith(sections, 255, 'linux', 'x64')).toContain('cut short');
    expect(problemWith(sections, 256, 'linux', 'x64')).toBeUndefined();
    const machO = Uint8Array.of(0xcf, 0xfa, 0xed, 0xfe);
    expect(problemWith(machO, 64, 'darwin', 'arm64')).toBeUndefined();
    expect(problemWith(elf(62), 64, 'darwin', 'x64')).toContain('Mach-O');
    expect(problemWith(machO, 64, 'linux', 'x64')).toContain('ELF');
    expect(problemWith(Uint8Array.of(0x4d, 0x5a, 0, 0), 64, 'win32', 'x64')).toBeUndefined();
    expect(problemWith(elf(62), 64, 'win32', 'x64')).toContain('DLL');
  });
});

describe('without pkcs11js', () => {
  /** Loads a module where no node_modules can be reached, but for what `prepare` put there. */
  async function loadElsewhere(): Promise<{ code: string; message: string }> {
    await build({
      stdin: {
        contents: `
          import { LoadedModule } from '../src/signers/pkcs11/module/loaded-module.ts';
          LoadedModule.load(${JSON.stringify(SOFTHSM_MODULE)}).catch((error) => {
            console.log(JSON.stringify({ code: error.code, message: error.message }));
          });`,
        resolveDir: resolve(import.meta.dirname, '../../..'),
        loader: 'ts',
      },
      bundle: true,
      platform: 'node',
      format: 'esm',
      external: ['pkcs11js'],
      outfile: join(directory, 'bundle.mjs'),
      logLevel: 'silent',
    });
    const { stdout } = await promisify(execFile)(process.execPath, [join(directory, 'bundle.mjs')]);
    return JSON.parse(stdout);
  }

  it('it says what to install', async () => {
    const error = await loadElsewhere();
    expect(error.code).toBe('module-missing');
    expect(error.message).toContain('npm install pkcs11js');
  });

  it('it says what to do where it was installed without being compiled', async () => {
    const installed = join(directory, 'node_modules', 'pkcs11js');
    const source = resolve(import.meta.dirname, '../../../../node_modules/pkcs11js');
    for (const name of ['package.json', 'index.js']) await cp(join(source, name), join(installed, name));
    const error = await loadElsewhere();
    expect(error.code).toBe('module-missing');
    expect(error.message).toContain('npm rebuild pkcs11js');
  });
});
