import { describe, expect, it } from 'vitest';
import { ConfigError } from '../../../src/errors.js';
import { bridgeUrl, hostAndPort, isLoopback } from '../../../src/signers/remote/bridge-url.js';

describe('the address of a bridge', () => {
  it.each([
    ['ws://localhost:27183', 'ws://localhost:27183/', 'localhost:27183'],
    ['WS://LocalHost:80/', 'ws://localhost/', 'localhost:80'],
    ['ws://[::1]:27183/', 'ws://[::1]:27183/', '[::1]:27183'],
    ['ws://127.1.2.3', 'ws://127.1.2.3/', '127.1.2.3:80'],
    ['wss://bridge.example', 'wss://bridge.example/', 'bridge.example:443'],
    ['wss://bridge.example:8443/', 'wss://bridge.example:8443/', 'bridge.example:8443'],
  ])('%s is %s', (text, canonical, place) => {
    expect(bridgeUrl(text)).toBe(canonical);
    expect(hostAndPort(canonical)).toBe(place);
  });

  it.each([
    undefined,
    null,
    5,
    '',
    'localhost',
    'http://localhost',
    'ws://',
    'ws://h/p',
    'wss://h/?q',
    'wss://h/#f',
  ])('is not %o', (value) => {
    expect(() => bridgeUrl(value, { allowPlainWs: true, setting: 'there' })).toThrow(
      expect.objectContaining({ code: 'invalid-config', setting: 'there' }),
    );
  });

  it('has TLS, or is on this machine, or is accepted as it is', () => {
    for (const url of [
      'ws://bridge.example/',
      'ws://192.168.1.5/',
      'ws://localhost.example/',
      'ws://0.0.0.0/',
    ]) {
      expect(() => bridgeUrl(url)).toThrow(ConfigError);
      expect(bridgeUrl(url, { allowPlainWs: true })).toBe(url);
    }
  });

  it.each([
    ['localhost', true],
    ['api.localhost', true],
    ['localhost.', true],
    ['127.0.0.1', true],
    ['127.255.255.255', true],
    ['[::1]', true],
    ['127.0.0.1.example', false],
    ['notlocalhost', false],
    ['[::]', false],
    ['[::ffff:7f00:1]', false],
  ])('loopback: %s %s', (host, expected) => {
    expect(isLoopback(host)).toBe(expected);
  });
});
