import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { beforeAll, describe, expect, it } from 'vitest';
import { RawConnection } from './raw-http.js';
import { startBridge } from './test-bridge.js';
import { TestClient } from './test-client.js';

let dir: string;
let files: { cert: string; key: string };

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'erst-bridge-tls-'));
  files = certificate('localhost', 'DNS:localhost,IP:127.0.0.1');
  return () => rmSync(dir, { recursive: true, force: true });
});

function certificate(name: string, alternatives: string): { cert: string; key: string } {
  const paths = { cert: join(dir, `${name}.pem`), key: join(dir, `${name}.key`) };
  const subject = ['-subj', `/CN=${name}`, '-addext', `subjectAltName=${alternatives}`, '-days', '2'];
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', paths.key];
  execFileSync('openssl', ['req', '-x509', ...newKey, '-out', paths.cert, ...subject], { stdio: 'ignore' });
  return paths;
}

describe('TLS', () => {
  it('serves pages and clients, from paths or from PEM', async () => {
    const ca = await readFile(files.cert, 'utf8');
    const pem = { cert: await readFile(files.cert), key: await readFile(files.key, 'utf8') };
    for (const tls of [files, pem]) {
      const { bridge } = await startBridge({ listen: 'localhost:0', tls });
      const { port } = new URL(bridge.url);
      expect(bridge.url).toBe(`wss://localhost:${port}/`);
      const link = await bridge.pair();
      expect(link).toMatch(/^https:\/\/localhost:\d+\/#pair=/);
      const client = await TestClient.pair(link, { ca, origin: `https://localhost:${port}` });
      expect((await TestClient.connect(bridge, { ca, keys: client.keys })).welcome.type).toBe('welcome');
      const status = await new Promise((resolve, reject) => {
        request(`https://localhost:${port}/healthz`, { ca }, (response) => resolve(response.statusCode))
          .on('error', reject)
          .end();
      });
      expect(status).toBe(200);
    }
  });

  it('listens beyond loopback without --allow-plain-ws', async () => {
    const { bridge } = await startBridge({
      listen: '0.0.0.0:0',
      tls: files,
      publicOrigin: 'https://bridge.example',
    });
    expect(bridge.url).toBe('wss://bridge.example/');
  });

  it('refuses old versions, plain HTTP and peers that do not finish the TLS handshake', async () => {
    const { bridge } = await startBridge({
      listen: '127.0.0.1:0',
      tls: files,
      limits: { headersTimeoutMs: 3_000 },
    });
    const { port } = new URL(bridge.url);
    const old = connect({
      host: '127.0.0.1',
      port: Number(port),
      maxVersion: 'TLSv1.1',
      minVersion: 'TLSv1',
      rejectUnauthorized: false,
    });
    await new Promise((resolve) => old.once('error', resolve));
    const silent = await RawConnection.open(bridge);
    const plain = await RawConnection.open(bridge);
    plain.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
    expect(await silent.ended).toBe('');
    expect(await plain.ended).not.toContain('200');
    const ca = await readFile(files.cert, 'utf8');
    expect((await TestClient.pair(await bridge.pair(), { ca })).welcome.type).toBe('welcome');
  });

  it('does not count accepted clients as unauthenticated', async () => {
    const { bridge } = await startBridge({ tls: files, limits: { maxUnauthenticatedPerAddress: 2 } });
    const ca = await readFile(files.cert, 'utf8');
    const first = await TestClient.pair(await bridge.pair(), { ca });
    for (let n = 0; n < 4; n++) await TestClient.connect(bridge, { ca, keys: first.keys });
    expect((await first.ask({ op: 'keys' })).code).toBeUndefined();
  });

  it.each([
    [
      'a missing file',
      () => ({ ...files, cert: '/nowhere/cert.pem' }),
      'cannot read /nowhere/cert.pem for tls.cert (ENOENT)',
    ],
    ['no certificate', () => ({ ...files, cert: files.key }), 'tls.cert holds no certificate in PEM'],
    ['no key', () => ({ ...files, key: files.cert }), 'tls.key holds no unencrypted private key in PEM'],
    [
      'another key',
      () => ({ ...files, key: certificate('other', 'DNS:other').key }),
      'tls.key is not the private key of',
    ],
  ])('refuses %s', async (_, tls, message) => {
    const attempt = startBridge({ tls: tls() });
    await expect(attempt).rejects.toMatchObject({
      code: 'invalid-config',
      message: expect.stringContaining(message),
    });
  });
});
