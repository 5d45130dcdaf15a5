// `erst-hsm keygen`

import { Command, Option } from 'commander';
import { bytesToHex } from '../bytes.js';
import type { PublicKey } from '../signers/public-key.js';
import { SoftwareSigner } from '../signers/software.node.js';
import { UsageError } from './failure.js';
import { withExamples } from './help.js';
import { note, printJson, printRaw } from './output.js';
import { newPassphrase } from './passphrase.js';
import { writePrivateFile } from './private-file.js';

interface KeygenOptions {
  algorithm: 'ed25519' | 'secp256k1';
  out?: string;
  force?: true;
  encrypt?: true;
  json?: true;
}

export function keygenCommand(): Command {
  const command = new Command('keygen')
    .description('make a private key (PKCS#8 PEM)')
    .addOption(new Option('-a, --algorithm <algorithm>').choices(['ed25519', 'secp256k1']).default('ed25519'))
    .option('-o, --out <file>', 'write it there, readable by you alone; without it, to standard output')
    .option('--force', 'overwrite the file')
    .option(
      '--encrypt',
      'with the passphrase of ERST_SOFTWARE_PASSPHRASE, …_FILE or …_COMMAND, or asked for at the terminal',
    )
    .option('--json', 'print algorithm, public key and file (needs --out)')
    .action(keygen);
  return withExamples(command, [
    ['an Ed25519 key', 'erst-hsm keygen --out key.pem'],
    ['a secp256k1 key under a passphrase', 'erst-hsm keygen --algorithm secp256k1 --encrypt --out key.pem'],
    ['straight into another program', 'erst-hsm keygen | openssl pkey -noout -text'],
  ]);
}

async function keygen(options: KeygenOptions): Promise<void> {
  const { out } = options;
  if (out === undefined) {
    if (options.json || options.force) {
      throw new UsageError(`${options.json ? '--json' : '--force'} needs --out file.pem`);
    }
    return printRaw((await generate(options)).pem);
  }
  let publicKey: PublicKey;
  await writePrivateFile(
    out,
    async () => {
      const key = await generate(options);
      publicKey = key.publicKey;
      return key.pem;
    },
    options.force,
  );
  report(out, publicKey!, options);
}

async function generate({
  algorithm,
  encrypt,
}: KeygenOptions): Promise<{ pem: string; publicKey: PublicKey }> {
  const { signer, privateKeyPem } = await SoftwareSigner.generate(
    algorithm,
    encrypt ? { passphrase: await newPassphrase() } : {},
  );
  const publicKey = await signer.publicKey();
  await signer.close();
  return { pem: privateKeyPem, publicKey };
}

function report(file: string, publicKey: PublicKey, { encrypt, json }: KeygenOptions): void {
  const { algorithm } = publicKey;
  const hex = bytesToHex(publicKey.raw);
  if (json) {
    printJson({ algorithm, publicKey: hex, file });
  } else {
    note(`${algorithm} key written to ${file}${encrypt ? ', encrypted' : ''}`);
    note(`public key ${hex}`);
  }
}
