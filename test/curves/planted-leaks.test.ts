// Leaks that are planted in a copy of the curves are found, and the messages name the function.

import { describe, expect, it } from 'vitest';
import { describeDifference, openTrace, operations } from '../../scripts/constant-trace/index.mjs';
import { ObservedCurves } from './observed-memory.js';
import { plantLeaks } from './planted-leaks.js';

const SECRETS = 1000;

const { wasm, names, leaks } = await plantLeaks();

describe('the tool', () => {
  const compare = async (number: number, operationName: string) => {
    const trace = await openTrace({
      changeModule: () => wasm,
      prepare: (exports) => {
        exports.planted!.value = number;
      },
    });
    const operation = operations.find(({ name }) => name === operationName)!;
    return trace.compare(operation, operation.secrets(SECRETS));
  };

  const inTime = leaks.filter(({ instruction }) => instruction !== undefined);
  const leftBehind = leaks.filter(({ instruction }) => instruction === undefined);

  it.each(inTime.map((leak) => [leak.file, leak.functionName, leak.what, leak] as const))(
    'finds in %s, %s: %s',
    async (_file, functionName, _what, { number, operation, instruction }) => {
      const { difference } = await compare(number, operation);
      const message = difference && describeDifference(difference, names);
      expect(message).toMatch(instruction!);
      expect(message).toContain(`(in ${functionName}, assembly/`);
    },
  );

  it.each(leftBehind.map((leak) => [leak.file, leak.what, leak] as const))(
    'the test of wiping finds in %s: %s',
    async (_file, _what, { number, operation }) => {
      const observed = await ObservedCurves.open({
        changeModule: () => wasm,
        prepare: (exports) => {
          exports.planted!.value = number;
        },
      });
      const sign = operation.startsWith('Ed25519')
        ? observed.curves.ed25519.sign
        : observed.curves.secp256k1.sign;
      const images = Array.from({ length: 8 }, (_, i) => {
        sign(new Uint8Array(32), new Uint8Array(32).fill(i + 1));
        return observed.image();
      });
      expect(images.flatMap((image) => observed.differences(image, images[0]!))).not.toEqual([]);
    },
  );

  it.each([...new Set(leaks.map(({ operation }) => operation))])(
    'finds nothing in %s while no leak is in effect',
    async (operation) => {
      expect((await compare(0, operation)).difference).toBeUndefined();
    },
  );
});
