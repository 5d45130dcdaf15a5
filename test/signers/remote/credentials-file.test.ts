import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { toBase64Url } from '../../../src/bytes.js';
import { ConfigError } from '../../../src/errors.js';
import { x25519KeyPair } from '../../../src/protocol/dh.js';
import { fieldNames, variableNames } from '../../../src/signers/config/settings.js';
import { readIdentityFile } from '../../../src/signers/remote/credentials-file.node.js';
import { type RemoteCredentials, remoteFromConfig } from '../../../src/signers/remote/remote.node.js';
import { SoftwareSigner } from '../../../src/signers/software.js';
import { ScriptedBridge } from './scripted-bridge.js';

const identity = toBase64Url(new Uint8Array(32).fill(5));
const bridgeKey = toBase64Url(x25519KeyPair().publicKey);
const credentials: RemoteCredentials = { url: 'ws://localhost:1/', bridgeKey, identity, client: 'laptop' };

let directory: string;
let path: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'erst-credentials-'));
  path = join(directory, 'credentials.json');
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const write = (contents: RemoteCredentials) => writeFile(path, JSON.stringify(contents), { mode: 0o600 });
const read = () => readIdentityFile(path, 'ERST_X');

describe('credentials file', () => {
  it('holds the JSON of what pairing gave', async () => {
    const { signer } = await SoftwareSigner.generate();
    const spki = toBase64Url((await signer.publicKey()).spki);
    const all: RemoteCredentials = { ...credentials, keys: { treasury: { algorithm: 'ed25519', spki } } };
    await write(all);
    expect(await read()).toEqual(all);
  });

  it('may hold an identity alone', async () => {
    await writeFile(path, `${identity}\n`, { mode: 0o600 });
    expect(await read()).toBe(identity);
  });

  it('that others can read gets a warning', async () => {
    const warnings = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    onTestFinished(() => warnings.mockRestore());
    await write(credentials);
    await read();
    expect(warnings).not.toHaveBeenCalled();
    await chmod(path, 0o640);
    await read();
    expect(warnings).toHaveBeenCalledWith(
      expect.stringContaining(`chmod 600 ${path}`),
      expect.objectContaining({ code: 'ERST_HSM_FILE_MODE' }),
    );
  });

  it.each([
    ['is empty', ''],
    ['is cut off', JSON.stringify(credentials).slice(0, -5)],
    ['lacks the identity', JSON.stringify({ ...credentials, identity: undefined })],
    ['has an unknown field', JSON.stringify({ ...credentials, more: 1 })],
    ['has wrong keys', JSON.stringify({ ...credentials, keys: { a: { algorithm: 'rsa', spki: '' } } })],
    ['holds a short identity', identity.slice(1)],
    ['holds a list', '[]'],
  ])('that %s is refused without repeating it', async (_name, text) => {
    await writeFile(path, text, { mode: 0o600 });
    const error = await read().catch((thrown: ConfigError) => thrown);
    expect(error).toBeInstanceOf(ConfigError);
    const { setting, message, cause } = error as ConfigError;
    expect(setting).toBe('ERST_X');
    expect(message).toContain(path);
    for (const shown of [message, String(cause)]) expect(shown).not.toContain(identity.slice(1));
  });

  it('that is not there is named', async () => {
    await expect(read()).rejects.toThrow(expect.objectContaining({ setting: 'ERST_X' }));
    await expect(read()).rejects.toThrow(path);
  });
});

describe('configuration', () => {
  async function start() {
    const { signer } = await SoftwareSigner.generate();
    const bridge = await ScriptedBridge.start({ keys: { treasury: signer } });
    onTestFinished(() => bridge.close());
    const paired: RemoteCredentials = { url: bridge.url, bridgeKey: bridge.bridgeKey, identity };
    return { bridge, paired };
  }

  it('is a key and a file with credentials', async () => {
    const { bridge, paired } = await start();
    await write(paired);
    for (const url of [undefined, bridge.url.replace('127.0.0.1', 'localhost')]) {
      const config = { identityPath: path, key: 'treasury', ...(url && { url }) };
      const signer = await remoteFromConfig(config, 'ed25519');
      expect(signer.signerInfo().metadata.url).toBe(url ?? bridge.url);
      await signer.close();
    }
    expect(bridge.connections[0]!.clientKey).toEqual(x25519KeyPair(new Uint8Array(32).fill(5)).publicKey);
  });

  it('is a key, an address, a bridge key, and a file with an identity or the identity itself', async () => {
    const { paired } = await start();
    await writeFile(path, `${identity}\n`, { mode: 0o600 });
    const { url, bridgeKey } = paired;
    for (const who of [{ identityPath: path }, { identity }]) {
      const signer = await remoteFromConfig({ url, bridgeKey, key: 'treasury', ...who });
      expect(signer.signerInfo().algorithm).toBe('ed25519');
      await signer.close();
    }
  });

  it('pins the keys of the file', async () => {
    const { bridge } = await start();
    await write({
      url: bridge.url,
      bridgeKey: bridge.bridgeKey,
      identity,
      keys: {
        treasury: {
          algorithm: 'ed25519',
          spki: toBase64Url((await (await SoftwareSigner.generate()).signer.publicKey()).spki),
        },
      },
    });
    await expect(remoteFromConfig({ identityPath: path, key: 'treasury' })).rejects.toMatchObject({
      code: 'key-mismatch',
    });
  });

  it.each([
    ['remote.key', {}],
    ['remote.identityPath', { key: 'treasury' }],
    ['remote.url', { key: 'treasury', identity }],
    ['remote.bridgeKey', { key: 'treasury', identity, url: 'ws://localhost:1/' }],
  ])('without %s says so by the name that the user knows', async (field, config) => {
    for (const names of [fieldNames, variableNames]) {
      const attempt = remoteFromConfig(config, undefined, names);
      await expect(attempt).rejects.toThrow(expect.objectContaining({ setting: names.name(field) }));
    }
  });

  it('with another bridge key than the file says so', async () => {
    await write(credentials);
    const other = toBase64Url(x25519KeyPair().publicKey);
    const attempt = remoteFromConfig(
      { identityPath: path, key: 'treasury', bridgeKey: other },
      undefined,
      variableNames,
    );
    await expect(attempt).rejects.toThrow(expect.objectContaining({ setting: 'ERST_REMOTE_BRIDGE_KEY' }));
  });

  it('with a file that is not there names the variable', async () => {
    const attempt = remoteFromConfig({ identityPath: path, key: 'treasury' }, undefined, variableNames);
    await expect(attempt).rejects.toThrow(expect.objectContaining({ setting: 'ERST_REMOTE_IDENTITY_PATH' }));
  });
});
