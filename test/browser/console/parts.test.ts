import { describe, expect, it } from 'vitest';
import { clientName } from '../../../src/browser/console/client-name.js';
import { describePlace } from '../../../src/browser/console/key-list.js';

describe('the name that a browser proposes', () => {
  const agent = (rest: string) => `Mozilla/5.0 (${rest}`;

  it.each([
    [agent('X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0'), 'firefox-linux'],
    [
      agent(
        'Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36',
      ),
      'chrome-windows',
    ],
    [
      agent('Windows NT 10.0) AppleWebKit/537.36 Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0'),
      'edge-windows',
    ],
    [
      agent('Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/18.0 Safari/605.1.15'),
      'safari-mac',
    ],
    [
      agent('iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Safari/604.1'),
      'safari-ios',
    ],
    [
      agent('Linux; Android 10; K) AppleWebKit/537.36 Chrome/140.0.0.0 Mobile Safari/537.36'),
      'chrome-android',
    ],
    ['something else', 'browser-computer'],
  ])('%s', (userAgent, name) => {
    expect(clientName({ userAgent })).toBe(name);
  });

  it('tells Chromium from Chrome by its brands', () => {
    const userAgent = agent('X11; Linux x86_64) AppleWebKit/537.36 Chrome/140.0.0.0 Safari/537.36');
    const brands = [{ brand: 'Chromium' }, { brand: 'Not=A?Brand' }];
    expect(clientName({ userAgent, userAgentData: { brands } })).toBe('chromium-linux');
    const branded = [...brands, { brand: 'Google Chrome' }];
    expect(clientName({ userAgent, userAgentData: { brands: branded } })).toBe('chrome-linux');
  });
});

describe('where a key lives', () => {
  it.each([
    [{ signerType: 'software', source: 'generated' }, 'In the bridge’s memory'],
    [{ signerType: 'software', source: 'file' }, 'In a file on the bridge’s machine'],
    [
      { signerType: 'pkcs11', tokenLabel: 'vault', model: 'SoftHSM v2', serial: '0102', module: '/lib/x.so' },
      'In the token vault · SoftHSM v2 · serial 0102',
    ],
    [{ signerType: 'pkcs11' }, 'In the token'],
    [{ signerType: 'remote' }, 'Behind another bridge'],
    [{}, ''],
  ])('%o', (info, text) => {
    expect(describePlace(info as Record<string, string>)).toBe(text);
  });
});
