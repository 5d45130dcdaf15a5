// SignerFactory in Node. Signers other than the software one are loaded when they are asked for, so that pkcs11js and ws
// are never needed for a key in memory.

import type { SoftwareConfig } from './config/config.js';
import type { SettingNames } from './config/settings.js';
import type { PrivateKeyOptions } from './encoding/private-key.js';
import { naming, signerFactory } from './factory.js';
import { readSecret } from './secrets/secret-source.node.js';
import { SoftwareSigner } from './software.node.js';

export const SignerFactory = signerFactory({
  async software(config, algorithm, names) {
    const passphrase = await readPassphrase(config, names);
    const options: PrivateKeyOptions = {
      ...(passphrase !== undefined && { passphrase }),
      ...(algorithm !== undefined && { algorithm }),
    };
    const { privateKeyPath: path, privateKeyPem: pem } = config;
    if (path !== undefined) {
      return naming(names.name('software.privateKeyPath'), () => SoftwareSigner.fromFile(path, options));
    }
    return naming(names.name('software.privateKeyPem'), () => SoftwareSigner.fromPem(pem ?? '', options));
  },

  async pkcs11(config, algorithm) {
    const { Pkcs11Signer } = await import('./pkcs11/index.js');
    return Pkcs11Signer.open({ ...config, ...(algorithm !== undefined && { algorithm }) });
  },

  async remote(config, algorithm, names) {
    const { remoteFromConfig } = await import('./remote/remote.node.js');
    return remoteFromConfig(config, algorithm, names);
  },
});

function readPassphrase(config: SoftwareConfig, names: SettingNames): Promise<string | undefined> {
  const { passphrase, passphraseFile, passphraseCommand } = config;
  return readSecret(
    { value: passphrase, file: passphraseFile, command: passphraseCommand },
    {
      value: names.name('software.passphrase'),
      file: names.name('software.passphraseFile'),
      command: names.name('software.passphraseCommand'),
    },
  );
}
