// The configuration file of `erst-hsm bridge --config`: JSON. What is wrong in it is named by its path in the file, with
// a line that would do. Relative paths in it start at the file's own directory.

import { stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import * as v from 'valibot';
import { ConfigError } from '../errors.js';
import { checkConfig, type SignerConfig } from '../signers/config/config.js';
import { type SettingNames, settingOf } from '../signers/config/settings.js';
import { warnIfOthersCanRead } from '../signers/secrets/private-file.node.js';
import { readNamedFile } from './input.js';

const text = (example: string) => v.pipe(v.string(wrong(example)), v.minLength(1, wrong(example)));
const flag = (example: string) => v.boolean(wrong(example));
const strings = (example: string) => v.array(text(example), wrong(example));
const wrong = (example: string) => `is missing or wrong, for example ${example}`;

/** An object, and no array, which valibot takes for one. */
const anyObject = (example: string) => v.custom<object>(isObject, wrong(example));
const isObject = (value: unknown) => typeof value === 'object' && value !== null && !Array.isArray(value);

/** An object with these members and no others. */
const object = <const E extends v.ObjectEntries>(entries: E, example: string) =>
  v.pipe(
    anyObject(example),
    v.strictObject(entries, (issue) =>
      issue.expected === 'never'
        ? `is unknown here; known are ${Object.keys(entries).join(', ')}`
        : wrong(example),
    ),
  );

const KEY_EXAMPLE =
  '"treasury": { "signerType": "pkcs11", "pkcs11": { "modulePath": "/usr/lib/softhsm/libsofthsm2.so", ' +
  '"pinFile": "pin", "keyLabel": "treasury" } }';
const KEYS_EXAMPLE = `"keys": { ${KEY_EXAMPLE} }`;

const keyName = v.pipe(
  v.string(wrong(KEYS_EXAMPLE)),
  v.regex(
    /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/,
    'is no name for a key: use 1 to 64 letters, digits, . _ or -, a letter or digit first',
  ),
);

const file = object(
  {
    listen: v.optional(
      v.union(
        [text('"listen": "localhost:27183"'), strings('"listen": ["localhost:27183"]')],
        wrong('"listen": "localhost:27183"'),
      ),
    ),
    stateDir: v.optional(text('"stateDir": "/var/lib/erst-hsm"')),
    origins: v.optional(strings('"origins": ["https://app.example"]')),
    publicOrigin: v.optional(text('"publicOrigin": "https://sign.example"')),
    tls: v.optional(
      object(
        { cert: text('"cert": "tls/cert.pem"'), key: text('"key": "tls/key.pem"') },
        '"tls": { "cert": "tls/cert.pem", "key": "tls/key.pem" }',
      ),
    ),
    allowPlainWs: v.optional(flag('"allowPlainWs": false')),
    console: v.optional(flag('"console": true')),
    // What a signer's configuration may hold is for the signers to say.
    keys: v.optional(
      v.pipe(
        v.record(keyName, anyObject(KEY_EXAMPLE), wrong(KEYS_EXAMPLE)),
        v.minEntries(1, wrong(KEYS_EXAMPLE)),
      ),
    ),
  },
  `{ ${KEYS_EXAMPLE} }`,
);

/** What a configuration file holds, its paths made absolute. */
export type BridgeConfigFile = Omit<v.InferOutput<typeof file>, 'keys'> & {
  keys?: Record<string, SignerConfig>;
};

/** Reads and checks the file at `path`. `ConfigError` with the path inside the file and an example. */
export async function readBridgeConfig(path: string): Promise<BridgeConfigFile> {
  const content = Buffer.from(await readNamedFile(path, 'the configuration')).toString('utf8');
  const result = v.safeParse(file, parseJson(content, path), { abortEarly: true });
  if (!result.success) throw invalid(path, result.issues[0]);
  const { keys, ...rest } = result.output;
  const checked: BridgeConfigFile = rest;
  if (keys !== undefined) {
    checked.keys = checkKeys(keys, path);
    if (Object.values(checked.keys).some(holdsSecret))
      warnIfOthersCanRead(await stat(path), path, 'the secrets');
  }
  return withAbsolutePaths(checked, dirname(resolve(path)));
}

const holdsSecret = ({ software, pkcs11, remote }: SignerConfig) =>
  [
    software?.privateKeyPem,
    software?.passphrase,
    pkcs11?.pin,
    ...(pkcs11?.replicas ?? []).map(({ pin }) => pin),
    remote?.identity,
  ].some((secret) => secret !== undefined);

function checkKeys(keys: Record<string, object>, path: string): Record<string, SignerConfig> {
  return Object.fromEntries(
    Object.entries(keys).map(([name, config]) => [name, checkKey(config, name, path)]),
  );
}

function checkKey(config: object, name: string, path: string): SignerConfig {
  try {
    return checkConfig(config, jsonNames);
  } catch (cause) {
    if (!(cause instanceof ConfigError)) throw cause;
    throw new ConfigError(`keys.${name}.${cause.setting}`, `${path}: keys.${name}: ${cause.message}`, {
      cause,
    });
  }
}

/** Fields as they are called in the file, with examples in JSON. */
const jsonNames: SettingNames = {
  name: (field) => field,
  example: (field) => {
    const [section, key] = field.split('.');
    const { example, literal, kind } = settingOf(field);
    const isBare = kind === 'number' || kind === 'flag';
    const value = isBare ? literal!.replaceAll('_', '') : JSON.stringify(example.replaceAll('"', ''));
    return key === undefined ? `"${section}": ${value}` : `"${section}": { "${key}": ${value} }`;
  },
};

/** The parser's own message quotes the text around the mistake, which may hold a secret. */
function parseJson(content: string, path: string): unknown {
  try {
    return JSON.parse(content);
  } catch (error) {
    const position = /position (\d+)/.exec((error as Error).message)?.[1];
    const line = position === undefined ? '' : ` (line ${lineAt(content, Number(position))})`;
    throw new ConfigError(path, `${path} is not JSON${line}. Check commas, quotes and braces: jq . ${path}`);
  }
}

const lineAt = (content: string, position: number) => content.slice(0, position).split('\n').length;

function invalid(path: string, issue: v.BaseIssue<unknown>): ConfigError {
  const where = v.getDotPath(issue as v.InferIssue<typeof file>);
  return new ConfigError(where ?? path, `${path}: ${where ?? 'the file'} ${issue.message}`);
}

function withAbsolutePaths(config: BridgeConfigFile, directory: string): BridgeConfigFile {
  const absolute = { ...config };
  if (config.stateDir !== undefined) absolute.stateDir = resolve(directory, config.stateDir);
  if (config.tls !== undefined) {
    absolute.tls = { cert: resolve(directory, config.tls.cert), key: resolve(directory, config.tls.key) };
  }
  for (const signerConfig of Object.values(config.keys ?? {}))
    makeSignerPathsAbsolute(signerConfig, directory);
  return absolute;
}

const PATHS = ['privateKeyPath', 'passphraseFile', 'pinFile', 'identityPath'] as const;

/** A module's path stays as it is: the dynamic loader searches its own directories for a bare name. */
function makeSignerPathsAbsolute({ software, pkcs11, remote }: SignerConfig, directory: string): void {
  const sections = [software, pkcs11, ...(pkcs11?.replicas ?? []), remote];
  for (const section of sections as (Partial<Record<string, unknown>> | undefined)[]) {
    for (const name of PATHS) {
      const path = section?.[name];
      if (typeof path === 'string') section![name] = resolve(directory, path);
    }
  }
}
