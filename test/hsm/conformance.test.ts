// Every rule of a Signer on the device that the ERST_ variables name, as `erst-hsm conformance` checks them:
//
//   ERST_SIGNER_TYPE=pkcs11 ERST_PKCS11_MODULE=… ERST_PKCS11_PIN_FILE=… ERST_PKCS11_KEY_LABEL=… npm run test:hsm
//
// Nothing is made or deleted on it, unless ERST_CONFORMANCE_GENERATE=yes: then a key of each algorithm that it can make.

import { afterAll, beforeAll, describe, it } from 'vitest';
import { type OpenTarget, openTarget } from '../../src/cli/conformance/target.js';
import {
  CannotGenerate,
  makeTemporaryKey,
  type TemporaryKey,
} from '../../src/cli/conformance/temporary-key.js';
import type { Algorithm } from '../../src/signers/types.js';
import { type ConformanceTarget, signerConformance } from '../../src/testing/index.js';

if (process.env.ERST_SIGNER_TYPE === undefined) {
  throw new Error(
    'No device is named: npm run test:hsm needs the variables of a signer. Example: ERST_SIGNER_TYPE=pkcs11 ' +
      'ERST_PKCS11_MODULE=/usr/lib/softhsm/libsofthsm2.so ERST_PKCS11_PIN_FILE=pin ERST_PKCS11_KEY_LABEL=treasury ' +
      'npm run test:hsm',
  );
}

const { ERST_CONFORMANCE_GENERATE: generate, ...environment } = process.env;

if (generate === 'yes') {
  for (const algorithm of ['ed25519', 'secp256k1', 'p256'] as const) describeNewKey(algorithm);
} else {
  const { target, info, ...opened } = await openTarget(environment);
  describe(`${info.algorithm} key that the variables name`, () => {
    afterAll(() => opened[Symbol.asyncDispose]());
    for (const { name, run } of signerConformance(target)) it(name, run);
  });
}

/** The key lives from the first rule to the last. */
function describeNewKey(algorithm: Algorithm): void {
  describe(`new ${algorithm} key`, () => {
    let key: TemporaryKey | undefined;
    let opened: OpenTarget | undefined;
    let whyNone = '';

    beforeAll(async () => {
      try {
        key = await makeTemporaryKey(environment, algorithm);
      } catch (error) {
        if (!(error instanceof CannotGenerate)) throw error;
        whyNone = error.message;
        return;
      }
      opened = await openTarget(key.env);
    });
    afterAll(async () => {
      await opened?.[Symbol.asyncDispose]();
      await key?.delete();
    });

    const later: ConformanceTarget = {
      algorithm,
      create: () => opened!.target.create(),
      get secrets() {
        return opened?.target.secrets ?? [];
      },
    };
    for (const { name, run } of signerConformance(later)) {
      it(name, async ({ skip }) => {
        skip(whyNone !== '', whyNone);
        await run();
      });
    }
  });
}
