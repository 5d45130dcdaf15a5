// `erst-hsm verify`

import { Command } from 'commander';
import { fromHex } from '../bytes.js';
import { verifySignature } from '../signers/verify.js';
import { EXIT } from './failure.js';
import { withExamples } from './help.js';
import { atMostOneStdin, readInput, STDIN } from './input.js';
import { expectHashable, PREHASHED, readMessage } from './message-input.js';
import { printJson, printLine } from './output.js';
import { decodeSignature } from './signature-formats.js';
import { publicKeyFrom } from './signer-source.js';

interface VerifyOptions {
  publicKey: string;
  signature: string;
  json?: true;
  prehashed?: true;
}

export function verifyCommand(): Command {
  const command = new Command('verify')
    .description('verify a signature; exits with 1 where it is not valid')
    .argument('[file]', 'what was signed; - is standard input', STDIN)
    .requiredOption('-p, --public-key <file>', 'public key (PEM); a private key serves as well')
    .requiredOption('-s, --signature <file|hex>', 'file in any format of `sign`, or 128 hex digits')
    .option('--prehashed', PREHASHED)
    .option('--json', 'print {"valid":…,"algorithm":…}')
    .action(verify);
  return withExamples(command, [
    ['a file', 'erst-hsm verify --public-key public.pem --signature contract.sig contract.pdf'],
    [
      'in a script',
      'if erst-hsm verify -p public.pem -s "$signature" release.tar >/dev/null; then tar -xf release.tar; fi',
    ],
  ]);
}

async function verify(file: string, options: VerifyOptions): Promise<void> {
  atMostOneStdin(file, options.signature);
  const prehashed = options.prehashed ?? false;
  const publicKey = await publicKeyFrom(options.publicKey);
  expectHashable(prehashed, publicKey.algorithm);
  const signature = decodeSignature(
    await readSignature(options.signature),
    publicKey.algorithm,
    options.signature === STDIN ? 'standard input' : options.signature,
  );
  const valid = await verifySignature(publicKey, await readMessage(file, prehashed), signature, {
    prehashed,
  });
  if (options.json) printJson({ valid, algorithm: publicKey.algorithm });
  else printLine(valid ? 'valid' : 'invalid');
  process.exitCode = valid ? EXIT.ok : EXIT.failure;
}

const readSignature = async (given: string) =>
  /^[0-9a-fA-F]{128}$/.test(given) ? fromHex(given) : readInput(given, 'the signature');
