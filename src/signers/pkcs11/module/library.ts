// Loads a PKCS#11 module's library through pkcs11js. What is wrong with the file is found before the loader sees it,
// because dlopen says the same of a missing file and of one for another machine.
// Invariant: an object whose load failed is never used again (that would end the process).

import { open, realpath, stat } from 'node:fs/promises';
import type { PKCS11 } from 'pkcs11js';
import { Pkcs11Error } from '../../../errors.js';
import { Cryptoki } from './cryptoki.js';

/** `path` without symbolic links, so that one library has one name; a bare library name is left to the loader. */
export async function canonicalPath(path: string): Promise<string> {
  if (!/[/\\]/.test(path)) return path;
  return realpath(path).catch(unreachable(path));
}

/** Loads the library at `path`; its C_Initialize has yet to be called. */
export async function loadLibrary(path: string): Promise<Cryptoki> {
  const PKCS11 = await importPkcs11js();
  if (/[/\\]/.test(path)) await inspectFile(path);
  const lib = new PKCS11();
  try {
    lib.load(path);
  } catch (cause) {
    throw explainLoadError(path, cause);
  }
  return new Cryptoki(lib);
}

async function importPkcs11js(): Promise<new () => PKCS11> {
  try {
    const { default: pkcs11js } = await import('pkcs11js');
    return pkcs11js.PKCS11;
  } catch (cause) {
    const { code, message = '' } = cause as NodeJS.ErrnoException;
    const notBuilt = code === 'ERR_DLOPEN_FAILED' || message.includes('pkcs11.node');
    const advice = notBuilt
      ? 'The package pkcs11js is installed but not compiled for this Node.js. Run: npm rebuild pkcs11js'
      : 'PKCS#11 needs the package pkcs11js, which is optional. Run: npm install pkcs11js';
    throw new Pkcs11Error('module-missing', `${advice} (it compiles with a C++ compiler, make and Python)`, {
      cause,
    });
  }
}

const SEE_PATHS =
  'ERST_PKCS11_MODULE must be the path of a PKCS#11 module, e.g. /usr/lib/softhsm/libsofthsm2.so (apt install softhsm2)';

function loadFailed(path: string, reason: string, advice: string, cause?: unknown): Pkcs11Error {
  return new Pkcs11Error('module-load-failed', `Cannot load ${path}: ${reason}. ${advice}`, { cause });
}

function unreachable(path: string): (cause: NodeJS.ErrnoException) => never {
  return (cause) => {
    if (cause.code === 'ENOENT') throw loadFailed(path, 'there is no such file', SEE_PATHS, cause);
    const advice = 'Give this user the right to read it';
    throw loadFailed(path, `it cannot be read (${cause.code})`, advice, cause);
  };
}

function explainLoadError(path: string, cause: unknown): Pkcs11Error {
  const text = cause instanceof Error ? cause.message : String(cause);
  if (text.includes('C_GetFunctionList')) {
    return loadFailed(
      path,
      'it is a library, but no PKCS#11 module (no C_GetFunctionList)',
      SEE_PATHS,
      cause,
    );
  }
  return loadFailed(path, text, 'If it names another library, install that one (ldd shows them)', cause);
}

async function inspectFile(path: string): Promise<void> {
  const stats = await stat(path).catch(unreachable(path));
  if (!stats.isFile()) throw loadFailed(path, 'it is no file', SEE_PATHS);
  const problem = problemWith(await firstBytes(path), stats.size);
  if (problem !== undefined) throw loadFailed(path, problem, SEE_PATHS);
}

async function firstBytes(path: string): Promise<Buffer> {
  const file = await open(path).catch(unreachable(path));
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(64), 0, 64, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

/** ELF e_machine and class by Node's name of the architecture (System V gABI, "Machine"). */
const elfMachines: Readonly<Record<string, readonly [machine: number, bits: 32 | 64]>> = {
  x64: [62, 64],
  arm64: [183, 64],
  ia32: [3, 32],
  arm: [40, 32],
  riscv64: [243, 64],
  ppc64: [21, 64],
  s390x: [22, 64],
  loong64: [258, 64],
};

/** What speaks against loading a library of `size` bytes that starts with `header`; `undefined` if nothing is seen. */
export function problemWith(
  header: Uint8Array,
  size: number,
  platform: NodeJS.Platform = process.platform,
  arch: string = process.arch,
): string | undefined {
  const magic = Buffer.from(header.subarray(0, 4)).toString('hex');
  if (platform === 'linux')
    return magic === '7f454c46' ? elfProblem(header, size, arch) : 'it is no ELF library';
  if (platform === 'darwin') {
    return /^(cafebabe|cafebabf|cffaedfe)$/.test(magic) ? undefined : 'it is no Mach-O library';
  }
  if (platform === 'win32') return magic.startsWith('4d5a') ? undefined : 'it is no DLL';
  return undefined;
}

/** A library cut short must not reach dlopen, which reads beyond its end and dies (System V gABI, "ELF Header"). */
function elfProblem(header: Uint8Array, size: number, arch: string): string | undefined {
  if (header.length < 64) return 'it is cut short';
  const view = new DataView(header.buffer, header.byteOffset, header.length);
  const isLittleEndian = header[5] !== 2;
  const is64 = header[4] === 2;
  const machine = view.getUint16(18, isLittleEndian);
  const expected = elfMachines[arch];
  if (expected !== undefined && (machine !== expected[0] || is64 !== (expected[1] === 64))) {
    return `it is a ${is64 ? 64 : 32}-bit library for another processor (ELF machine ${machine}; this Node.js is ${arch})`;
  }
  const sections = is64 ? Number(view.getBigUint64(40, isLittleEndian)) : view.getUint32(32, isLittleEndian);
  const sectionBytes =
    view.getUint16(is64 ? 58 : 46, isLittleEndian) * view.getUint16(is64 ? 60 : 48, isLittleEndian);
  return sections + sectionBytes > size ? 'it is cut short' : undefined;
}
