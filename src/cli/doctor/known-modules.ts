// PKCS#11 modules by the name of their file: where they usually are, which package brings them, whether they reach their
// tokens through PC/SC (the daemon pcscd), and what shows why there is none.

import { basename } from 'node:path';
import type { TokenSummary } from '../../signers/pkcs11/engine/hosted-module.js';

export interface KnownModule {
  pattern: RegExp;
  debianPackage: string;
  usesPcsc: boolean;
  /** The line to run where it shows no slot or no token. */
  whenEmpty: string;
  usualPlaces: readonly string[];
}

const inLibraryFolders = (...names: string[]) =>
  names.flatMap((name) =>
    [
      '/usr/lib/x86_64-linux-gnu',
      '/usr/lib/aarch64-linux-gnu',
      '/usr/lib64',
      '/usr/lib',
      '/usr/local/lib',
    ].map((folder) => `${folder}/${name}`),
  );

const modules: readonly KnownModule[] = [
  {
    pattern: /^libsofthsm2?\.(so|dylib)/,
    debianPackage: 'softhsm2',
    usesPcsc: false,
    whenEmpty: 'softhsm2-util --init-token --free --label mytoken',
    usualPlaces: [
      '/usr/lib/softhsm/libsofthsm2.so',
      ...inLibraryFolders('softhsm/libsofthsm2.so', 'pkcs11/libsofthsm2.so', 'libsofthsm2.so'),
      '/opt/homebrew/lib/softhsm/libsofthsm2.so',
    ],
  },
  {
    pattern: /^libykcs11\./,
    debianPackage: 'ykcs11',
    usesPcsc: true,
    whenEmpty: 'yubico-piv-tool -a status',
    usualPlaces: [...inLibraryFolders('libykcs11.so'), '/opt/homebrew/lib/libykcs11.dylib'],
  },
  {
    pattern: /^(onepin-)?opensc-pkcs11\./,
    debianPackage: 'opensc-pkcs11',
    usesPcsc: true,
    whenEmpty: 'opensc-tool --list-readers',
    usualPlaces: [...inLibraryFolders('opensc-pkcs11.so'), '/opt/homebrew/lib/opensc-pkcs11.so'],
  },
  {
    pattern: /^libtpm2_pkcs11\./,
    debianPackage: 'libtpm2-pkcs11-1',
    usesPcsc: false,
    whenEmpty: 'tpm2_ptool init && tpm2_ptool listprimaries',
    usualPlaces: inLibraryFolders('pkcs11/libtpm2_pkcs11.so', 'libtpm2_pkcs11.so'),
  },
  {
    pattern: /^p11-kit-client\./,
    debianPackage: 'p11-kit-modules',
    usesPcsc: false,
    whenEmpty: 'export P11_KIT_SERVER_ADDRESS="unix:path=$XDG_RUNTIME_DIR/p11-kit/pkcs11"',
    usualPlaces: inLibraryFolders('pkcs11/p11-kit-client.so'),
  },
  {
    pattern: /^yubihsm_pkcs11\./,
    debianPackage: 'yubihsm-pkcs11',
    usesPcsc: false,
    whenEmpty: 'export YUBIHSM_PKCS11_CONF=/path/to/yubihsm_pkcs11.conf',
    usualPlaces: inLibraryFolders('pkcs11/yubihsm_pkcs11.so'),
  },
  {
    // All modules that are registered on the machine, as one; it stands last so that it is not proposed before them.
    pattern: /^(p11-kit-proxy|libp11-kit)\./,
    debianPackage: 'libp11-kit0',
    usesPcsc: false,
    whenEmpty: 'p11-kit list-modules',
    usualPlaces: inLibraryFolders('p11-kit-proxy.so'),
  },
];

/** What is known of the module at `path`, by its file's name. */
export function knownModule(path: string): KnownModule | undefined {
  return modules.find(({ pattern }) => pattern.test(basename(path)));
}

/** The usual places of the module in a file called `name`, or of all. */
export function usualModules(name?: string): readonly string[] {
  const known = name === undefined ? modules : modules.filter(({ pattern }) => pattern.test(name));
  return known.flatMap(({ usualPlaces }) => usualPlaces);
}

export const isSoftHsm = (path: string): boolean => knownModule(path)?.debianPackage === 'softhsm2';
/** A PIV card as libykcs11 or OpenSC shows it: its keys are made with the card's management key. */
export const isPiv = (path: string, { manufacturer }: TokenSummary): boolean =>
  isYkcs11(path) || manufacturer === 'piv_II';

export const isYkcs11 = (path: string): boolean => knownModule(path)?.debianPackage === 'ykcs11';
