// The compiled module and its loader: what the builds contain, what assertions catch, and how messages pass.

import { readFileSync } from 'node:fs';
import { ed25519 as noble } from '@noble/curves/ed25519.js';
import { describe, expect, it } from 'vitest';
import base64 from '#curves-wasm';
import { ed25519 } from '../../src/curves/ed25519.js';
import { withCurves } from '../../src/curves/wasm.js';
import { hex } from './edge-inputs.js';

const read = (target: string) => readFileSync(`build/wasm/curves.${target}.wasm`);
const build = process.env.ERST_CURVES_BUILD ?? 'release';
const secretKey = new Uint8Array(32).fill(7);

describe('the builds', () => {
  it('this suite runs on the build that it is meant for', () => {
    expect(base64).toBe(read(build).toString('base64'));
  });

  it.each(['release', 'debug'])('%s imports nothing and starts nothing', (target) => {
    const module = new WebAssembly.Module(read(target));
    expect(WebAssembly.Module.imports(module)).toEqual([]);
    // Not even a table: there are no indirect calls.
    expect(WebAssembly.Module.exports(module).filter(({ kind }) => kind === 'table')).toEqual([]);
  });

  it('release fits 64 kB', () => {
    expect(read('release').length).toBeLessThanOrEqual(64_000);
  });

  it('release exports no inner operations', () => {
    const names = WebAssembly.Module.exports(new WebAssembly.Module(read('release'))).map(({ name }) => name);
    expect(names).toContain('ed25519Prepare');
    expect(names.filter((name) => name.startsWith('field'))).toEqual([]);
  });
});

it('one fill can wipe what was secret and the message', () => {
  const { SECRETS, SECRETS_BYTES, MESSAGE } = withCurves((curves) => curves.run);
  expect(SECRETS.value + SECRETS_BYTES.value).toBe(MESSAGE.value);
});

describe('a trap', () => {
  it('ends the call, and the next call works', () => {
    const before = withCurves((curves) => curves.run);
    expect(() => withCurves((curves) => curves.run.ed25519Absorb(-1))).toThrow(WebAssembly.RuntimeError);
    const after = withCurves((curves) => curves.run);
    expect(after).not.toBe(before);
    const message = new Uint8Array(3);
    expect(hex(ed25519.sign(message, secretKey))).toBe(hex(noble.sign(message, secretKey)));
  });

  it('another error leaves the module in use', () => {
    const before = withCurves((curves) => curves.run);
    expect(() =>
      withCurves(() => {
        throw new Error('on purpose');
      }),
    ).toThrow('on purpose');
    expect(withCurves((curves) => curves.run)).toBe(before);
  });
});

describe('messages', () => {
  const piece = withCurves((curves) => curves.run.MESSAGE_BYTES.value);
  const lengths = [piece - 1, piece, piece + 1, 2 * piece - 1, 2 * piece, 3 * piece + 77, 2 ** 20];

  it.each(lengths)('of %i bytes pass in pieces', (length) => {
    const message = Uint8Array.from({ length }, (_, i) => (i * 31 + (i >> 8)) & 0xff);
    const signature = ed25519.sign(message, secretKey);
    expect(hex(signature)).toBe(hex(noble.sign(message, secretKey)));
    const publicKey = ed25519.getPublicKey(secretKey);
    expect(ed25519.verify(signature, message, publicKey)).toBe(true);
    message[length - 1]! ^= 1;
    expect(ed25519.verify(signature, message, publicKey)).toBe(false);
  });

  it.each([100, piece + 100])(
    'of %i bytes are the same in every pass, even if they change meanwhile',
    (length) => {
      const message = new Uint8Array(new SharedArrayBuffer(length)).fill(1);
      const passes = withCurves((curves) => {
        const seen: string[] = [];
        const look = () => {
          const bytes: number[] = [];
          curves.feed((count) => {
            const start = curves.run.MESSAGE.value;
            bytes.push(...new Uint8Array(curves.run.memory.buffer, start, count));
          });
          seen.push(hex(Uint8Array.from(bytes)));
        };
        curves.hold(message);
        look();
        message.fill(2);
        look();
        return seen;
      });
      expect(passes).toEqual([hex(new Uint8Array(length).fill(1)), hex(new Uint8Array(length).fill(1))]);
    },
  );

  it('that lie about their length are measured', () => {
    class Liar extends Uint8Array {
      override get length() {
        return 32;
      }
    }
    const message = new Liar(piece + 5).fill(3);
    const honest = new Uint8Array(piece + 5).fill(3);
    expect(hex(ed25519.sign(message, secretKey))).toBe(hex(ed25519.sign(honest, secretKey)));
    expect(() => ed25519.getPublicKey(new Liar(33))).toThrow(RangeError);
  });
});
