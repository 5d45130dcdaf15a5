// `erst-hsm sign`

import { Command, Option } from 'commander';
import { withExamples } from './help.js';
import { STDIN } from './input.js';
import { expectHashable, PREHASHED, readMessage } from './message-input.js';
import { printRaw } from './output.js';
import {
  encodeSignature,
  expectFormat,
  SIGNATURE_FORMATS,
  type SignatureFormat,
} from './signature-formats.js';
import { withSigner } from './signer-source.js';

interface SignOptions {
  key?: string;
  format: SignatureFormat;
  json?: true;
  prehashed?: true;
}

export function signCommand(): Command {
  const command = new Command('sign')
    .description('sign a file or standard input')
    .argument('[file]', 'what to sign; - is standard input', STDIN)
    .option('-k, --key <file>', 'private key (PEM); without it, the key that the ERST_ variables name')
    .addOption(
      new Option('-f, --format <format>', 'of the signature').choices(SIGNATURE_FORMATS).default('hex'),
    )
    .option('--json', 'short for --format json')
    .option('--prehashed', PREHASHED)
    .action(sign);
  return withExamples(command, [
    ['text from a pipe, with a key in a file', 'printf hello | erst-hsm sign --key key.pem'],
    [
      'a file, with a key in an HSM',
      'ERST_SIGNER_TYPE=pkcs11 ERST_PKCS11_MODULE=/usr/lib/softhsm/libsofthsm2.so ERST_PKCS11_PIN_FILE=pin \\\n' +
        '    ERST_PKCS11_KEY_LABEL=treasury erst-hsm sign contract.pdf --format der > contract.sig',
    ],
    [
      'a digest that something else made',
      'sha256sum f | cut -c-64 | erst-hsm sign --key k.pem --prehashed --json',
    ],
  ]);
}

async function sign(file: string, options: SignOptions): Promise<void> {
  const format = options.json ? 'json' : options.format;
  const prehashed = options.prehashed ?? false;
  await withSigner(options.key, async (signer) => {
    const publicKey = await signer.publicKey();
    expectFormat(format, publicKey.algorithm);
    expectHashable(prehashed, publicKey.algorithm);
    const signature = await signer.sign(await readMessage(file, prehashed), { prehashed });
    printRaw(encodeSignature(signature, publicKey, format));
  });
}
