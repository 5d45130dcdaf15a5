// One signature of a fixed text, made as a signer makes it and verified on this machine, and how long it took.

import { performance } from 'node:perf_hooks';
import { utf8 } from '../../bytes.js';
import { tokenInput, verifiedSignature } from '../../signers/pkcs11/key/token-signature.js';
import { check } from './check.js';
import { ok, postponed, skipped } from './finding.js';
import { wouldTry } from './login-check.js';

const TEXT = 'erst-hsm doctor: test signature';

export const signature = check(
  'signature',
  { needs: ['connection', 'pinSource', 'key', 'publicKey'] },
  async (facts) => {
    const { connection, pinSource, key, publicKey, loggedIn } = facts;
    if (!loggedIn && wouldTry(facts)) return postponed('signing needs a login', 'erst-hsm doctor --try-pin');
    if (!loggedIn) return skipped('not reached: see pin.state, pin.source and login');
    const signed = tokenInput(key.algorithm, utf8(TEXT), false);
    const contextPin = key.alwaysAuthenticate ? await pinSource.read() : undefined;
    const start = performance.now();
    const bytes = await connection.sign({ key, input: signed.input, contextPin });
    const tookMs = performance.now() - start;
    await verifiedSignature(publicKey, signed, bytes);
    return ok(`${key.algorithm}, made in ${tookMs.toFixed(1)} ms and verified against the public key`);
  },
);
