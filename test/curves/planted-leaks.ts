// A copy of the curves with leaks in it, to see that each is found. All are in one module, and a number says which one is
// in effect.

import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compileWithNames, type Names } from '../../scripts/constant-trace/index.mjs';

export interface PlantedLeak {
  readonly what: string;
  readonly file: string;
  readonly operation: string;
  readonly number: number;
  /** The function that has it. */
  readonly functionName: string;
  /** The instruction that gives it away, as messages call it; none where it is only that something stays in memory. */
  readonly instruction: RegExp | undefined;
}

type Statement = { what: string; instruction?: RegExp; code: string; functionName?: string };

/** Where `secret` is the address of a secret scalar. PUBLIC has 64 bytes to read, SINK 64 to write. */
const onScalars: Statement[] = [
  {
    what: 'a branch on a bit',
    instruction: /^event \d+: (if|br_if|select) /,
    code: 'if ((load<u8>(secret) & 1) != 0) store<u8>(SINK, 1);',
  },
  {
    what: 'a loop as long as a digit says',
    instruction: /^event \d+: (if|br_if|load|store) /,
    code: 'for (let i: u32 = 0; i < <u32>(load<u8>(secret) & 63); i++) store<u32>(SINK, load<u32>(SINK) ^ (i * i));',
  },
  {
    what: 'a switch',
    instruction: /^event \d+: (br_table|if|br_if) /,
    code: `switch (load<u8>(secret) & 3) {
      case 0: store<u8>(SINK, 7); break;
      case 1: store<u8>(SINK, 9, 1); break;
      case 2: store<u8>(SINK, 5, 2); break;
    }`,
  },
  {
    what: 'a table index',
    instruction: /^event \d+: load /,
    code: 'store<u8>(SINK, load<u8>(PUBLIC + (load<u8>(secret) & 63)));',
  },
  {
    what: 'a vector at a secret index',
    instruction: /^event \d+: v128 load /,
    code: 'v128.store(SINK, v128.load(PUBLIC + ((load<u8>(secret) & 3) << 4)));',
  },
  {
    what: 'a secret address to write to',
    instruction: /^event \d+: store /,
    code: 'store<u8>(SINK + (load<u8>(secret) & 63), 1);',
  },
  {
    what: 'a division by a secret',
    instruction: /^event \d+: division /,
    code: 'store<u32>(SINK, 1000000007 / (load<u32>(secret) | 1));',
  },
  {
    what: 'a remainder of a secret',
    instruction: /^event \d+: division /,
    code: 'store<u64>(SINK, load<u64>(secret) % 1000003);',
  },
  {
    what: 'a select',
    functionName: 'pick',
    instruction: /^event \d+: select /,
    code: 'store<u32>(SINK, pick(load<u32>(PUBLIC), load<u32>(PUBLIC, 4), load<u8>(secret) & 1));',
  },
  {
    what: 'a select of vectors',
    functionName: 'pickVector',
    instruction: /^event \d+: (select|if) /,
    code: `const mask = i8x16.eq(v128.load(secret), i8x16.splat(0));
    v128.store(SINK, pickVector(v128.load(PUBLIC), v128.load(PUBLIC, 16), i8x16.bitmask(mask)));`,
  },
  {
    what: 'a comparison that ends early',
    instruction: /^event \d+: (if|br_if) /,
    code: 'for (let i: usize = 0; i < 32; i++) if (load<u8>(secret + i) != 0) { store<u8>(SINK, 1); break; }',
  },
  {
    what: 'a copy of secret length',
    instruction: /^event \d+: (memory\.copy|if|br_if|select) /,
    code: 'memory.copy(SINK, PUBLIC, load<u8>(secret) & 63);',
  },
  {
    what: 'a fill of secret length',
    instruction: /^event \d+: (memory\.fill|if|br_if|select) /,
    code: 'memory.fill(SINK, 0, load<u8>(secret) & 63);',
  },
];

/** For scalars that are mostly zeros, which come from edges alone. */
const onRareScalars: Statement[] = [
  {
    what: 'a branch that next to no key takes',
    instruction: /^event \d+: (if|br_if|select) /,
    code: 'if ((load<u64>(secret, 8) | load<u64>(secret, 16)) == 0) store<u8>(SINK, 1);',
  },
];

/** No leak in time, but left behind. */
const leftBehind: Statement[] = [
  { what: 'a scalar in memory that is not wiped', code: 'memory.copy(SINK, secret, 32);' },
  {
    what: 'a bit of a scalar in memory that is not wiped',
    code: 'store<u8>(SINK, load<u8>(secret) & 1, 9);',
  },
  { what: 'a word of a scalar in a global', code: 'keep(load<u64>(secret, 8));' },
];

/** Where `secret` is a secret digit, its sign, or a mask. */
const onDigits: Statement[] = [
  {
    what: 'a branch on a digit',
    instruction: /^event \d+: (if|br_if|select) /,
    code: 'if ((secret & 32) != 0) store<u8>(SINK, 1);',
  },
];

/** Where leaks go: the function's heading, which parameter is secret, and an operation that comes by. */
const sites = [
  {
    file: 'ed25519/fixed-base.ts',
    heading: /^export function (multiplyBase)\(([^)]*)\): void \{/m,
    parameter: 1,
    statements: [...onScalars, ...leftBehind],
    operation: 'Ed25519 sign',
  },
  {
    file: 'ed25519/scalar.ts',
    heading: /^export function (multiplyAdd)\(([^)]*)\): void \{/m,
    parameter: 2,
    statements: onRareScalars,
    operation: 'Ed25519 sign, prepared with edge scalars',
  },
  {
    file: 'ed25519/fixed-base.ts',
    heading: /^function (select\w*)\(([^)]*)\): void \{/m,
    parameter: -1,
    statements: onDigits,
    operation: 'Ed25519 sign',
  },
  {
    file: 'secp256k1/fixed-base.ts',
    heading: /^export function (multiplyBase)\(([^)]*)\): void \{/m,
    parameter: 1,
    statements: [...onScalars, ...onRareScalars, ...leftBehind],
    operation: 'secp256k1 public key',
  },
  {
    file: 'secp256k1/fixed-base.ts',
    heading: /^export function (selectEntry)\(([^)]*)\): void \{/m,
    parameter: 1,
    statements: onScalars.slice(0, 1),
    operation: 'ECDSA sign',
  },
  {
    file: 'secp256k1/scalar.ts',
    heading: /^export function (addScalar)\(([^)]*)\): void \{/m,
    parameter: 1,
    statements: onScalars.slice(0, 1),
    operation: 'Schnorr sign',
  },
];

/** The copy, compiled with the options of the release build. */
export async function plantLeaks(): Promise<{ wasm: Uint8Array; names: Names; leaks: PlantedLeak[] }> {
  const folder = await mkdtemp(join(tmpdir(), 'planted-leaks-'));
  try {
    await cp('assembly', join(folder, 'assembly'), { recursive: true });
    await cp('asconfig.json', join(folder, 'asconfig.json'));
    await writeFile(join(folder, 'assembly/planted.ts'), PLANTED);
    await edit(
      join(folder, 'assembly/index.ts'),
      (source) => `${source}export { keptWord, planted } from './planted';\n`,
    );
    for (const file of new Set(sites.map((site) => site.file)))
      await edit(join(folder, 'assembly', file), (source) => `${IMPORT}${source}`);

    const leaks: PlantedLeak[] = [];
    for (const site of sites)
      await edit(join(folder, 'assembly', site.file), (source) => plant(source, site, leaks));
    return { ...(await compileWithNames(folder)), leaks };
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function edit(path: string, change: (source: string) => string): Promise<void> {
  await writeFile(path, change(await readFile(path, 'utf8')));
}

function plant(source: string, site: (typeof sites)[number], leaks: PlantedLeak[]): string {
  const { file, heading, parameter, statements, operation } = site;
  const found = source.match(heading);
  if (found === null) throw new Error(`no function ${heading} in ${file} to plant a leak in`);
  const [name, type] = found[2]!.split(',').at(parameter)!.split(':');
  const isDigit = /\b[iu](32|64)\b/.test(type!);
  const secret = isDigit ? `<i64>${name!.trim()}` : `changetype<usize>(${name!.trim()})`;
  const planted = statements.map(({ what, instruction, code, functionName = found[1]! }) => {
    leaks.push({ what, file, operation, number: leaks.length + 1, functionName, instruction });
    return `\n  if (planted == ${leaks.length}) {\n    const secret = ${secret};\n    ${code}\n  }`;
  });
  const at = found.index! + found[0].length;
  return source.slice(0, at) + planted.join('') + source.slice(at);
}

const IMPORT = "import { keep, pick, pickVector, planted, PUBLIC, SINK } from '../planted';\n";
const PLANTED = `
export let planted: i32 = 0;
export const SINK = memory.data(64, 16);
export const PUBLIC = memory.data<u8>([${Array.from({ length: 64 }, (_, i) => 3 * i + 1).join(', ')}]);
let kept: u64 = 0;
export function keep(word: u64): void {
  kept = word;
}
export function keptWord(): u64 {
  return kept;
}
export function pick(a: u32, b: u32, condition: i32): u32 {
  return select<u32>(a, b, condition);
}
export function pickVector(a: v128, b: v128, condition: i32): v128 {
  return select<v128>(a, b, condition);
}
`;
