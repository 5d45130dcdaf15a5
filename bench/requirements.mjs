// What the curves have to reach, in medians of paired ratios: `must` or the run fails, `aim` is what they are built for.
// `against` a peer is how many times as long as ours it takes; 'erst-hsm, one by one' is our own single call.

const SINGLE = 'erst-hsm, one by one';

export const requirements = [
  { id: 'ed25519.sign', against: 'libsodium.js', must: 2.5, aim: 3.2 },
  { id: 'ed25519.sign', against: 'node:crypto', must: 1.8 },
  { id: 'ed25519.sign', against: 'sodium-native', must: 1, aim: 1.4 },
  { id: 'ed25519.verify', against: 'libsodium.js', must: 1.7, aim: 2.6 },
  { id: 'ed25519.verify', against: 'node:crypto', must: 1.4 },
  { id: 'ed25519.verify', against: 'sodium-native', aim: 1.2 },
  { id: 'ed25519.publicKey', against: 'libsodium.js', must: 2.5, aim: 3 },
  { id: 'ed25519.signBatch', against: SINGLE, must: 1.15, aim: 1.3 },
  { id: 'ed25519.verifyBatch', against: SINGLE, must: 1.7, aim: 2.2 },
  { id: 'secp256k1.sign', against: 'libauth', must: 3.2, aim: 4.4 },
  { id: 'secp256k1.sign', against: 'secp256k1-node', must: 1.4 },
  { id: 'secp256k1.verify', against: 'libauth', must: 2.2, aim: 3.5 },
  { id: 'secp256k1.verify', against: 'secp256k1-node', aim: 1.2 },
  { id: 'secp256k1.recover', against: 'libauth', must: 2.2, aim: 3.5 },
  { id: 'secp256k1.recover', against: 'secp256k1-node', aim: 1.2 },
  { id: 'secp256k1.publicKey', against: 'libauth', must: 1.8, aim: 2.6 },
  { id: 'schnorr.sign', against: 'tiny-secp256k1', must: 3.5, aim: 6 },
  { id: 'schnorr.verify', against: 'tiny-secp256k1', must: 3.5, aim: 6 },
];

/** Each requirement that `isMeant`, with the ratio that was measured, undefined where it was not. */
export function judge(rows, isMeant) {
  return requirements.filter(isMeant).map((requirement) => {
    const row = rows.find(({ id }) => id === requirement.id);
    const ratio = row?.cells.find(({ name }) => name === requirement.against)?.ratio?.median;
    return { ...requirement, ratio };
  });
}

/** Whether a `must` was missed, or could not be measured. */
export const fails = ({ must, ratio }) => must !== undefined && !(ratio >= must);
