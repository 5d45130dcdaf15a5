// SoftwareSigner in Node: also from files, and under a passphrase.

import {
  encodePrivateKeyPem,
  type PrivateKeyOptions,
  readPrivateKey,
  type SoftwareAlgorithm,
} from './encoding/private-key.js';
import { encodeEncryptedPrivateKeyPem, openEncryptedKey } from './encoding/private-key.node.js';
import { readPrivateFile } from './secrets/private-file.node.js';
import {
  type GeneratedKey,
  type GenerateOptions,
  generatePrivateKey,
  SoftwareSigner as PortableSoftwareSigner,
} from './software.js';

/** @inheritdoc */
export class SoftwareSigner extends PortableSoftwareSigner {
  static override async generate(
    algorithm: SoftwareAlgorithm = 'ed25519',
    options: GenerateOptions = {},
  ): Promise<GeneratedKey<SoftwareSigner>> {
    const privateKey = generatePrivateKey(algorithm, options);
    const { passphrase } = options;
    try {
      const privateKeyPem =
        passphrase === undefined
          ? encodePrivateKeyPem(privateKey)
          : await encodeEncryptedPrivateKeyPem(privateKey, passphrase);
      return { signer: new SoftwareSigner(privateKey, { source: 'generated' }), privateKeyPem };
    } finally {
      privateKey.secretKey.fill(0);
    }
  }

  static override async fromPem(pem: string, options: PrivateKeyOptions = {}): Promise<SoftwareSigner> {
    return new SoftwareSigner(await readPrivateKey(pem, options, openEncryptedKey), { source: 'pem' });
  }

  /**
   * The key in the PEM file at `path`, as `fromPem` reads it. Where others may read the file, the process gets a
   * warning with code `ERST_HSM_FILE_MODE`.
   *
   * @returns rejects as `fromPem` does, and with a `KeyError` `key-unreadable` where the file cannot be read
   */
  static async fromFile(path: string, options: PrivateKeyOptions = {}): Promise<SoftwareSigner> {
    if (typeof path !== 'string') throw new TypeError('path must be a string');
    const pem = await readPrivateFile(path, 'the private key');
    const metadata = { source: 'file', path };
    return new SoftwareSigner(await readPrivateKey(pem, options, openEncryptedKey), metadata);
  }
}
