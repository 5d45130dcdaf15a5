// Names for places in the release module, which has none: the same sources compiled with names and a source map. The
// code must come out the same to the byte, or else the names would be those of other code.

import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Reader, readSections, Section } from './wasm.mjs';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** Compiles assembly/ of the project, or of a folder like it with an asconfig.json, as the build does but with names. */
export async function compileWithNames(folder = root, target = 'release') {
  const output = await mkdtemp(join(tmpdir(), 'constant-trace-'));
  try {
    const wasmPath = join(output, 'named.wasm');
    const entries = target === 'debug' ? ['assembly/debug.ts'] : [];
    const names = ['--outFile', wasmPath, '--debug', '--sourceMap'];
    const compiler = join(root, 'node_modules/assemblyscript/bin/asc.js');
    const options = [...entries, '--target', target, ...names];
    await promisify(execFile)(process.execPath, [compiler, ...options], { cwd: folder });
    const wasm = new Uint8Array(await readFile(wasmPath));
    const map = JSON.parse(await readFile(`${wasmPath}.map`, 'utf8'));
    const read = (path) => readFile(join(folder, path), 'utf8').catch(() => ''); // the compiler's own library
    const sources = await Promise.all(map.sources.map(async (path) => ({ path, text: await read(path) })));
    return { wasm, names: new Names(readFunctionNames(wasm), decodeMappings(map.mappings), sources) };
  } finally {
    await rm(output, { recursive: true });
  }
}

/** Whether two modules are the same but for custom sections. */
export function isSameCode(a, b) {
  const [ours, theirs] = [a, b].map((module) =>
    readSections(module).filter(({ id }) => id !== Section.custom),
  );
  return (
    ours.length === theirs.length &&
    ours.every(
      ({ id, content }, i) => id === theirs[i].id && Buffer.compare(content, theirs[i].content) === 0,
    )
  );
}

class Names {
  constructor(functions, positions, sources) {
    Object.assign(this, { functions, positions, sources });
  }

  /** Where a place is, in words: the line of the source, the function around it, and the one it was compiled into. */
  describe({ functionIndex, offset }) {
    const compiled = this.functions.get(functionIndex) ?? `function ${functionIndex}`;
    const position = this.positions.findLast((candidate) => candidate.offset <= offset);
    if (position === undefined) return compiled;
    const { path, text } = this.sources[position.source];
    return `${functionAround(text, position.line)}, ${path}:${position.line + 1}, compiled into ${compiled}`;
  }
}

function functionAround(source, line) {
  const lines = source.split('\n').slice(0, line + 1);
  const heading = lines.findLast((text) => /^(export )?function /.test(text));
  return heading?.match(/function (\w+)/)?.[1] ?? 'no function';
}

/** Subsection 1 of the name section (Core Specification, appendix "Custom Sections"). */
function readFunctionNames(wasm) {
  const names = new Map();
  for (const { id, content } of readSections(wasm)) {
    if (id !== Section.custom) continue;
    const reader = new Reader(content);
    if (reader.text() !== 'name') continue;
    while (reader.at < content.length) {
      const subsection = reader.byte();
      const end = reader.u32() + reader.at;
      if (subsection === 1)
        for (let left = reader.u32(); left > 0; left--) names.set(reader.u32(), reader.text());
      reader.at = end;
    }
  }
  return names;
}

/** The mappings of a source map whose columns are offsets in the module: base64 VLQ, each relative to the one before. */
function decodeMappings(mappings) {
  let [offset, source, line] = [0, 0, 0];
  return mappings.split(',').flatMap((segment) => {
    const [offsetStep, sourceStep = 0, lineStep = 0] = decodeVlq(segment);
    offset += offsetStep;
    source += sourceStep;
    line += lineStep;
    return [{ offset, source, line }];
  });
}

function decodeVlq(segment) {
  const digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
  const numbers = [];
  let [value, shift] = [0, 0];
  for (const character of segment) {
    const digit = digits.indexOf(character);
    value += (digit & 31) * 2 ** shift;
    shift += 5;
    if (digit >= 32) continue;
    numbers.push(value & 1 ? -(value >>> 1) : value >>> 1);
    [value, shift] = [0, 0];
  }
  return numbers;
}
