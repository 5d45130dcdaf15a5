// `erst-hsm pubkey`

import { Command, Option } from 'commander';
import { bytesToHex, toBase64 } from '../bytes.js';
import type { PublicKey } from '../signers/public-key.js';
import { withExamples } from './help.js';
import { printRaw } from './output.js';
import { publicKeyFrom } from './signer-source.js';

const encoders = {
  pem: (key: PublicKey) => key.toPem(),
  der: (key: PublicKey) => key.spki,
  raw: (key: PublicKey) => key.raw,
  hex: (key: PublicKey) => `${bytesToHex(key.raw)}\n`,
  jwk: (key: PublicKey) => `${JSON.stringify(key.toJwk())}\n`,
  json: (key: PublicKey) =>
    `${JSON.stringify({ algorithm: key.algorithm, raw: bytesToHex(key.raw), spki: toBase64(key.spki) })}\n`,
};

type PublicKeyFormat = keyof typeof encoders;

interface PubkeyOptions {
  key?: string;
  format: PublicKeyFormat;
  json?: true;
}

export function pubkeyCommand(): Command {
  const command = new Command('pubkey')
    .description('print a public key')
    .option(
      '-k, --key <file>',
      'private or public key (PEM); without it, the key that the ERST_ variables name',
    )
    .addOption(
      new Option('-f, --format <format>', 'hex and raw are 32 bytes, or 33 of the compressed point')
        .choices(Object.keys(encoders))
        .default('pem'),
    )
    .option('--json', 'short for --format json')
    .action(pubkey);
  return withExamples(command, [
    ['of a private key in a file', 'erst-hsm pubkey --key key.pem > public.pem'],
    [
      'of a key in an HSM',
      'ERST_SIGNER_TYPE=pkcs11 ERST_PKCS11_MODULE=/usr/lib/softhsm/libsofthsm2.so ERST_PKCS11_PIN_FILE=pin \\\n' +
        '    ERST_PKCS11_KEY_LABEL=treasury erst-hsm pubkey --format hex',
    ],
  ]);
}

async function pubkey(options: PubkeyOptions): Promise<void> {
  const key = await publicKeyFrom(options.key);
  printRaw(encoders[options.json ? 'json' : options.format](key));
}
