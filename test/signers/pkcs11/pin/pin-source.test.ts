import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { PinSource } from '../../../../src/signers/pkcs11/pin/pin-source.js';

describe('PinSource', () => {
  it('keeps a value until it is forgotten', async () => {
    const source = new PinSource({ value: '1234' });
    expect(await source.read()).toBe('1234');
    expect(await source.read()).toBe('1234');
    source.forget();
    expect(await source.read()).toBeUndefined();
  });

  it('reads a file anew', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'erst-hsm-pin-'));
    onTestFinished(() => rm(directory, { recursive: true }));
    const file = join(directory, 'pin');
    await writeFile(file, '1111\n', { mode: 0o600 });
    const source = new PinSource({ file });
    expect(await source.read()).toBe('1111');
    await writeFile(file, '2222\n');
    expect(await source.read()).toBe('2222');
  });

  it('names the variable where the PIN cannot be read', async () => {
    const source = new PinSource({ file: '/nowhere/pin' }, { ask: async () => '1234' });
    await expect(source.read()).rejects.toMatchObject({ setting: 'ERST_PKCS11_PIN_FILE' });
  });

  it('asks once where nothing is configured, and keeps the answer until it is forgotten', async () => {
    const ask = vi.fn(async () => '1234');
    const source = new PinSource({}, { ask });
    expect(await Promise.all([source.read(), source.read()])).toEqual(['1234', '1234']);
    expect(await source.read()).toBe('1234');
    expect(ask).toHaveBeenCalledTimes(1);
    source.forget();
    expect(await source.read()).toBeUndefined();
    expect(ask).toHaveBeenCalledTimes(1);
  });

  it('does not ask where something is configured', async () => {
    const ask = vi.fn(async () => '9999');
    expect(await new PinSource({ command: 'echo 1234' }, { ask }).read()).toBe('1234');
    expect(ask).not.toHaveBeenCalled();
  });

  it('has no PIN where nobody is there or nothing is typed', async () => {
    expect(await new PinSource({}).read()).toBeUndefined();
    expect(await new PinSource({}, { ask: async () => undefined }).read()).toBeUndefined();
    expect(await new PinSource({}, { ask: async () => '' }).read()).toBeUndefined();
  });

  it('asks again after the asking has failed', async () => {
    const ask = vi.fn(async () => '1234').mockRejectedValueOnce(new Error('interrupted'));
    const source = new PinSource({}, { ask });
    await expect(source.read()).rejects.toThrow('interrupted');
    expect(await source.read()).toBe('1234');
  });
});
