// Which instructions an instrumented module notes, and with which operands: one small module for each kind.

import binaryen from 'binaryen';
import { describe, expect, it } from 'vitest';
import { instrument } from '../../scripts/constant-trace/index.mjs';

const EVENT_BYTES = 16;

type Exports = Record<string, WebAssembly.Global<'i32' | 'i64'>> & {
  memory: WebAssembly.Memory;
  run: (...args: (number | bigint)[]) => unknown;
};

function assemble(text: string): Uint8Array {
  const module = binaryen.parseText(
    `(module (memory (export "memory") 1) (global (mut i32) (i32.const 0)) ${text})`,
  );
  module.setFeatures(binaryen.Features.All);
  const wasm = module.emitBinary();
  module.dispose();
  return wasm;
}

function start(wasm: Uint8Array, mode: 'hash' | 'record') {
  const { wasm: instrumented, places } = instrument(wasm, mode);
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(instrumented));
  return { exports: exports as unknown as Exports, places };
}

/** What one call notes: the instruction and the operand. */
function eventsOf(wasm: Uint8Array, args: (number | bigint)[]): [string, bigint][] {
  const { exports, places } = start(wasm, 'record');
  exports.run(...args);
  const view = new DataView(exports.memory.buffer, 65536);
  return Array.from({ length: Number(exports['trace count']!.value) }, (_, i) => [
    places[view.getUint32(EVENT_BYTES * i, true)]!.operation,
    view.getBigUint64(EVENT_BYTES * i + 8, true),
  ]);
}

function hashOf(wasm: Uint8Array, args: (number | bigint)[]): string {
  const { exports } = start(wasm, 'hash');
  exports.run(...args);
  return `${exports['trace first']!.value} ${exports['trace second']!.value}`;
}

const i32 = '(func (export "run") (param i32)';
const i64 = '(func (export "run") (param i64)';
const get = '(local.get 0)';
const vector = '(v128.const i32x4 1 2 3 4)';

const modules: [string, string, [string, bigint][]][] = [
  ['if', `${i32} (if ${get} (then (nop))))`, [['if', 5n]]],
  [
    'if with else',
    `${i32} (drop (if (result i32) ${get} (then ${get}) (else (i32.const 1)))))`,
    [['if', 5n]],
  ],
  ['br_if', `${i32} (block (br_if 0 ${get})))`, [['br_if', 5n]]],
  ['br_table', `${i32} (block (block (br_table 0 1 ${get}))))`, [['br_table', 5n]]],
  ['select', `${i32} (drop (select ${get} (i32.const 1) ${get})))`, [['select', 5n]]],
  ['select of vectors', `${i32} (drop (select (result v128) ${vector} ${vector} ${get})))`, [['select', 5n]]],
  [
    'call_indirect',
    `(table 8 funcref) (elem (i32.const 0) $f $f $f $f $f $f) (type $t (func)) (func $f)
     ${i32} (call_indirect (type $t) ${get}))`,
    [['call_indirect', 5n]],
  ],
  ['memory.grow', `${i32} (drop (memory.grow ${get})))`, [['memory.grow', 5n]]],
  ['a load', `${i32} (drop (i64.load8_s offset=3 ${get})))`, [['load', 5n]]],
  ['a store of an i32', `${i32} (i32.store16 ${get} (i32.const 9)))`, [['store', 5n]]],
  ['a store of an i64', `${i32} (i64.store offset=8 ${get} (i64.const 9)))`, [['store', 5n]]],
  ['a store of an f32', `${i32} (f32.store ${get} (f32.const 9)))`, [['store', 5n]]],
  ['a store of an f64', `${i32} (f64.store ${get} (f64.const 9)))`, [['store', 5n]]],
  ['v128.load', `${i32} (drop (v128.load ${get})))`, [['v128 load', 5n]]],
  ['v128.load32_splat', `${i32} (drop (v128.load32_splat ${get})))`, [['v128 load', 5n]]],
  ['v128.load16x4_u', `${i32} (drop (v128.load16x4_u ${get})))`, [['v128 load', 5n]]],
  ['v128.load64_zero', `${i32} (drop (v128.load64_zero ${get})))`, [['v128 load', 5n]]],
  ['v128.store', `${i32} (v128.store ${get} ${vector}))`, [['v128 store', 5n]]],
  [
    'v128.load8_lane',
    `${i32} (drop (v128.load8_lane offset=1 3 ${get} ${vector})))`,
    [['v128 load of a lane', 5n]],
  ],
  ['v128.store64_lane', `${i32} (v128.store64_lane 1 ${get} ${vector}))`, [['v128 store of a lane', 5n]]],
  [
    'memory.copy',
    `${i32} (memory.copy ${get} (i32.const 7) (i32.const 2)))`,
    [
      ['memory.copy', 5n],
      ['memory.copy', 7n],
      ['memory.copy', 2n],
    ],
  ],
  [
    'memory.fill, apart from what it fills with',
    `${i32} (memory.fill ${get} (i32.const 7) (i32.const 2)))`,
    [
      ['memory.fill', 5n],
      ['memory.fill', 2n],
    ],
  ],
  ...['i32.div_u', 'i32.div_s', 'i32.rem_u', 'i32.rem_s'].map((name): (typeof modules)[number] => [
    name,
    `${i32} (drop (${name} ${get} (i32.const -3))))`,
    [
      ['division', 5n],
      ['division', 2n ** 32n - 3n],
    ],
  ]),
  ...['i64.div_u', 'i64.div_s', 'i64.rem_u', 'i64.rem_s'].map((name): (typeof modules)[number] => [
    name,
    `${i64} (drop (${name} ${get} (i64.const -3))))`,
    [
      ['division', 5n],
      ['division', 2n ** 64n - 3n],
    ],
  ]),
  [
    'f64.div',
    '(func (export "run") (param f64) (drop (f64.div (local.get 0) (f64.const 1))))',
    [
      ['f64 arithmetic', 0x4014000000000000n],
      ['f64 arithmetic', 0x3ff0000000000000n],
    ],
  ],
  [
    'f32.sqrt',
    '(func (export "run") (param f32) (drop (f32.sqrt (local.get 0))))',
    [['f32 arithmetic', 0x40a00000n]],
  ],
];

describe.each(modules)('%s', (_name, text, expected) => {
  const wasm = assemble(text);
  const args = text.includes('(param i64)') ? [5n] : [5];

  it('is noted', () => expect(eventsOf(wasm, args)).toEqual(expected));
  it('changes the hash', () => {
    const others = text.includes('(param i64)') ? [2n ** 63n + 5n] : [0];
    expect(hashOf(wasm, others)).not.toBe(hashOf(wasm, args));
    expect(hashOf(wasm, args)).toBe(hashOf(wasm, args));
  });
});

describe('an instrumented module', () => {
  const wasm = assemble(`(global $g (mut i64) (i64.const 3)) (export "g" (global $g))
    (func $twice (param i32 i64) (result i64) (local f64)
      (i64.store (local.get 0) (local.get 1)) (global.set $g (i64.load (local.get 0)))
      (i64.div_s (global.get $g) (i64.const 2)))
    (func (export "run") (param i32) (result i64) (call $twice (local.get 0) (i64.const -8)))`);

  it('computes the same', () => {
    for (const mode of ['hash', 'record'] as const) {
      const { exports } = start(wasm, mode);
      expect(exports.run(16)).toBe(-4n);
      expect(exports.g!.value).toBe(-8n);
    }
  });

  it('traps at the event that the limit names', () => {
    for (const limit of [1, 2, 3, 4]) {
      const { exports } = start(wasm, 'hash');
      exports['trace limit']!.value = limit;
      expect(() => exports.run(16)).toThrow(WebAssembly.RuntimeError);
      expect(exports['trace count']!.value).toBe(limit);
    }
    const { exports } = start(wasm, 'hash');
    exports['trace limit']!.value = 5;
    expect(exports.run(16)).toBe(-4n);
  });

  it('exports the globals that can change', () => {
    expect(instrument(wasm, 'hash').globals).toHaveLength(2);
  });

  it('is refused where it has vectors of floating-point numbers, whose time nobody has looked at', () => {
    const floats = assemble(`(func (export "run") (drop (f64x2.mul ${vector} ${vector})))`);
    expect(() => instrument(floats, 'hash')).toThrow('no rule');
  });
});
