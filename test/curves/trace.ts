// Traces of the compiled module: every condition of a branch or select, every address of a load or store and every
// size of a bulk operation, in the order in which they happen. Two calls that differ in secrets alone have to leave the
// same trace.
//
// The module is taken apart as text; the operand that decides is wrapped into a call that notes it and gives it back.

import { readFileSync } from 'node:fs';
import binaryen from 'binaryen';
import { Curves, type CurvesExports } from '../../src/curves/wasm.js';

type Expression = string | Expression[];

export interface TracedCurves {
  readonly curves: Curves;
  /** What happens during `work`: pairs of a place in the module and the value that decides there. */
  record(work: (curves: Curves) => void): Int32Array;
  /** The place and the values where two traces part, for the message of a failed test; undefined where they do not. */
  difference(a: Int32Array, b: Int32Array): string | undefined;
}

export function traceCurves(path = 'build/wasm/curves.release.wasm'): TracedCurves {
  const { wasm, places } = instrument(readFileSync(path));
  let events = new Int32Array(1 << 20);
  let count = 0;
  const see = (place: number, value: number) => {
    if (count + 2 > events.length) {
      const longer = new Int32Array(2 * events.length);
      longer.set(events);
      events = longer;
    }
    events[count++] = place;
    events[count++] = value;
    return value;
  };
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(wasm), { trace: { see } });
  const curves = new Curves(exports as unknown as CurvesExports);

  return {
    curves,
    record(work) {
      count = 0;
      work(curves);
      return events.slice(0, count);
    },
    difference(a, b) {
      const at = a.findIndex((value, i) => value !== b[i]);
      if (at < 0) return a.length === b.length ? undefined : `one is ${a.length} long, the other ${b.length}`;
      return `event ${at >> 1}: ${places[a[at & ~1]!]} saw ${a[at | 1]}, and ${places[b[at & ~1]!]} saw ${b[at | 1]}`;
    },
  };
}

/** The module with a call of `trace.see` at every deciding operand, and what is at each place. */
function instrument(wasm: Uint8Array): { wasm: Uint8Array<ArrayBuffer>; places: string[] } {
  const original = binaryen.readBinary(wasm);
  const module = parse(original.emitText());
  original.dispose();

  const places: string[] = [];
  let current = '';
  const seen = (operation: string, operand: Expression): Expression => {
    places.push(`${operation} in ${current}`);
    return ['call', '$trace', ['i32.const', String(places.length - 1)], operand];
  };
  const walk = (expression: Expression): Expression => {
    if (typeof expression === 'string') return expression;
    const [head] = expression;
    if (typeof head !== 'string') return expression.map(walk);
    if (head === 'func') current = String(expression[1]);
    const walked = expression.map(walk);
    for (const i of decidingOperands(head, expression)) walked[i] = seen(head, walked[i]!);
    return walked;
  };

  const [keyword, ...fields] = walk(module) as Expression[];
  const trace = [
    'import',
    '"trace"',
    '"see"',
    ['func', '$trace', ...signature('param'), ...signature('result')],
  ];
  const instrumented = binaryen.parseText(print([keyword!, trace, ...fields]));
  instrumented.setFeatures(binaryen.Features.All);
  const binary = instrumented.emitBinary();
  instrumented.dispose();
  return { wasm: new Uint8Array(binary), places };
}

const signature = (kind: 'param' | 'result'): Expression[] => [
  kind === 'param' ? ['param', 'i32', 'i32'] : ['result', 'i32'],
];

/** Where among its parts an instruction has what decides which way it goes, which memory it touches or how long it takes. */
function decidingOperands(head: string, parts: Expression[]): number[] {
  const operands = parts.flatMap((part, i) => (Array.isArray(part) && part[0] !== 'result' ? [i] : []));
  if (head === 'if') return operands.slice(0, 1);
  if (head === 'select' || head === 'br_if' || head === 'br_table') return operands.slice(-1);
  if (/\.(load|store)/.test(head)) return operands.slice(0, 1);
  if (head === 'memory.copy' || head === 'memory.fill')
    return operands.filter((_, i) => head === 'memory.copy' || i !== 1);
  if (/^i32\.(div|rem)/.test(head)) return operands;
  if (/^i64\.(div|rem)/.test(head) || head === 'call_indirect') throw new Error(`${head} cannot be traced`);
  return [];
}

function parse(text: string): Expression {
  const stack: Expression[][] = [[]];
  for (const [token] of text.matchAll(/\(;.*?;\)|;;[^\n]*|"(?:[^"\\]|\\.)*"|[()]|[^\s()"]+/g)) {
    if (token.startsWith(';;') || token.startsWith('(;')) continue;
    if (token === '(') stack.push([]);
    else if (token === ')') stack.at(-2)!.push(stack.pop()!);
    else stack.at(-1)!.push(token);
  }
  return stack[0]![0]!;
}

function print(expression: Expression): string {
  return typeof expression === 'string' ? expression : `(${expression.map(print).join(' ')})`;
}
