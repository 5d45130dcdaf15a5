// SignerFactory in browsers: keys in memory and behind a bridge. There are no files, and no PKCS#11.

import { SignerError } from '../errors.js';
import { connectOptions, naming, type SignerOpeners, signerFactory } from './factory.js';
import type { BrowserIdentity } from './remote/identity.browser.js';
import { RemoteSigner } from './remote/remote.browser.js';
import { SoftwareSigner } from './software.js';

const openers: SignerOpeners = {
  async software(config, algorithm, names) {
    const { privateKeyPem: pem, passphrase, passphraseFile, passphraseCommand } = config;
    if (pem === undefined) throw noFiles(names.name('software.privateKeyPath'), 'software.privateKeyPem');
    if (passphraseFile !== undefined) {
      throw noFiles(names.name('software.passphraseFile'), 'software.passphrase');
    }
    if (passphraseCommand !== undefined) {
      throw noFiles(names.name('software.passphraseCommand'), 'software.passphrase');
    }
    return naming(names.name('software.privateKeyPem'), () =>
      SoftwareSigner.fromPem(pem, {
        ...(passphrase !== undefined && { passphrase }),
        ...(algorithm !== undefined && { algorithm }),
      }),
    );
  },

  async remote(config, algorithm, names) {
    if (config.identityPath !== undefined) {
      throw noFiles(names.name('remote.identityPath'), 'remote.identity');
    }
    return RemoteSigner.connect(connectOptions<BrowserIdentity>(config, algorithm, names));
  },
};

export const SignerFactory = signerFactory(openers, {
  pkcs11:
    'A browser cannot load PKCS#11 modules. Run a bridge (erst-hsm bridge) beside the HSM and use signer type remote.',
});

function noFiles(setting: string, instead: string): SignerError {
  return new SignerError(
    'unsupported-runtime',
    `${setting}: a browser has no files or commands. Use ${instead}.`,
  );
}
