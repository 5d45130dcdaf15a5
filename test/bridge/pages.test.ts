import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Bridge } from '../../src/bridge/index.js';
import { exchange, statusOf } from './raw-http.js';
import { startBridge, temporaryDir } from './test-bridge.js';

interface Answer {
  status: number;
  headers: Record<string, string>;
  body: string;
}

/** A request to the bridge under the name `localhost`, unless a header says otherwise. */
function ask(
  bridge: Bridge,
  path: string,
  options: { method?: string; headers?: object } = {},
): Promise<Answer> {
  const { hostname, port } = new URL(bridge.url);
  const headers = { Host: `localhost:${port}`, ...options.headers };
  return new Promise((resolve, reject) => {
    const call = request(
      { hostname, port, path, method: options.method ?? 'GET', headers, agent: false },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk) => chunks.push(chunk));
        response.on('end', () => {
          const answered = response.headers as Record<string, string>;
          resolve({
            status: response.statusCode!,
            headers: answered,
            body: Buffer.concat(chunks).toString(),
          });
        });
      },
    );
    call.on('error', reject);
    call.end();
  });
}

async function consoleDir(): Promise<string> {
  const dir = join(await temporaryDir(), 'console');
  await mkdir(join(dir, 'assets'), { recursive: true });
  await writeFile(join(dir, 'index.html'), '<!doctype html><title>Console</title>');
  await writeFile(join(dir, 'main.js'), 'export {};');
  await writeFile(join(dir, 'assets', 'logo.svg'), '<svg/>');
  await writeFile(join(dir, '.hidden.js'), 'secret');
  await writeFile(join(dir, 'notes.md'), 'of no known type');
  await writeFile(join(dir, '..', 'outside.js'), 'secret');
  await symlink(join(dir, '..', 'outside.js'), join(dir, 'link.js'));
  return dir;
}

describe('pages', () => {
  it('serves the console with strict headers', async () => {
    const { bridge } = await startBridge({ consoleDir: await consoleDir() });
    const { port } = new URL(bridge.url);
    const { status, headers, body } = await ask(bridge, '/');
    expect(status).toBe(200);
    expect(body).toContain('<title>Console</title>');
    expect(headers).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-resource-policy': 'same-origin',
      'cache-control': 'no-cache',
    });
    expect(headers['content-security-policy']?.split('; ')).toEqual([
      "default-src 'none'",
      "script-src 'self' 'wasm-unsafe-eval'",
      "style-src 'self'",
      "img-src 'self' data:",
      `connect-src 'self' ws://127.0.0.1:${port} ws://localhost:${port}`,
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
    ]);
    expect(headers).not.toHaveProperty('access-control-allow-origin');
    expect(bridge.status().console).toBe(`http://localhost:${port}/`);
  });

  it('serves its files by their types, HEAD without body, and 304 to who has it', async () => {
    const { bridge } = await startBridge({ consoleDir: await consoleDir() });
    expect(await ask(bridge, '/main.js?v=1')).toMatchObject({ status: 200, body: 'export {};' });
    expect((await ask(bridge, '/assets/logo.svg')).headers['content-type']).toBe('image/svg+xml');
    const head = await ask(bridge, '/main.js', { method: 'HEAD' });
    expect(head).toMatchObject({ status: 200, body: '', headers: { 'content-length': '10' } });
    const again = await ask(bridge, '/main.js', { headers: { 'If-None-Match': head.headers.etag } });
    expect(again).toMatchObject({ status: 304, body: '' });
  });

  it.each([
    '/nothing',
    '/.hidden.js',
    '/notes.md',
    '/link.js',
    '/../outside.js',
    '/%2e%2e/outside.js',
    '/assets/../main.js',
    '//main.js',
    '/assets',
    '/assets/',
    '/main.js%00',
  ])('has nothing at %s', async (path) => {
    const { bridge } = await startBridge({ consoleDir: await consoleDir() });
    expect(await ask(bridge, path)).toMatchObject({ status: 404, body: 'not found\n' });
  });

  it('serves what was there at the start', async () => {
    const dir = await consoleDir();
    const { bridge } = await startBridge({ consoleDir: dir });
    await writeFile(join(dir, 'main.js'), 'changed');
    await writeFile(join(dir, 'new.js'), 'new');
    expect((await ask(bridge, '/main.js')).body).toBe('export {};');
    expect((await ask(bridge, '/new.js')).status).toBe(404);
  });

  it.each(['POST', 'PUT', 'DELETE', 'OPTIONS', 'TRACE'])('refuses %s', async (method) => {
    const { bridge } = await startBridge({ consoleDir: await consoleDir() });
    expect(await ask(bridge, '/', { method })).toMatchObject({
      status: 405,
      headers: { allow: 'GET, HEAD' },
    });
  });

  it('refuses CONNECT, unknown Hosts and malformed requests', async () => {
    const { bridge } = await startBridge({ consoleDir: await consoleDir() });
    expect(await exchange(bridge, 'CONNECT evil.example:443 HTTP/1.1\r\nHost: localhost\r\n\r\n')).toBe('');
    expect((await ask(bridge, '/', { headers: { Host: 'evil.example' } })).status).toBe(421);
    expect((await ask(bridge, '/healthz', { headers: { Host: 'evil.example' } })).status).toBe(421);
    expect(statusOf(await exchange(bridge, 'nonsense\r\n\r\n'))).toBe(400);
    expect(
      statusOf(await exchange(bridge, `GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(9_000)}\r\n\r\n`)),
    ).toBe(431);
  });

  it('sends pages asked for at 127.0.0.1 to localhost, where passkeys work', async () => {
    const { bridge } = await startBridge({ consoleDir: await consoleDir() });
    const { port } = new URL(bridge.url);
    const headers = { Host: `127.0.0.1:${port}` };
    expect(await ask(bridge, '/?a=b', { headers })).toMatchObject({
      status: 308,
      headers: { location: `http://localhost:${port}/?a=b` },
    });
    expect((await ask(bridge, '//evil.example/', { headers })).headers.location).toBe(
      `http://localhost:${port}//evil.example/`,
    );
    expect((await ask(bridge, '/healthz', { headers })).status).toBe(200);
  });

  it('says what it is where no console is served', async () => {
    const { bridge } = await startBridge({ consoleDir: false });
    expect(await ask(bridge, '/')).toMatchObject({ status: 426, headers: { upgrade: 'websocket' } });
    expect(bridge.status().console).toBeUndefined();
  });

  it('refuses to start without the console that it is told to serve', async () => {
    await expect(startBridge({ consoleDir: '/nowhere/console' })).rejects.toMatchObject({
      code: 'invalid-config',
      message: "cannot read the console's files in /nowhere/console (ENOENT)",
    });
  });
});

describe('health', () => {
  it('answers /healthz and /readyz', async () => {
    const { bridge } = await startBridge();
    expect(await ask(bridge, '/healthz')).toMatchObject({
      status: 200,
      body: 'ok\n',
      headers: { 'cache-control': 'no-store' },
    });
    expect(await ask(bridge, '/readyz')).toMatchObject({ status: 200, body: 'ready\n' });
  });
});

describe('/hello', () => {
  it('answers pages on allowed origins, so that browsers can ask for their permission, and no others', async () => {
    const { bridge } = await startBridge({ origins: ['https://app.example'] });
    const allowed = await ask(bridge, '/hello', { headers: { Origin: 'https://app.example' } });
    expect(allowed).toMatchObject({
      status: 200,
      headers: {
        'access-control-allow-origin': 'https://app.example',
        'cross-origin-resource-policy': 'cross-origin',
        vary: 'Origin',
      },
    });
    const foreign = await ask(bridge, '/hello', { headers: { Origin: 'https://evil.example' } });
    expect(foreign.status).toBe(403);
    expect(foreign.headers).not.toHaveProperty('access-control-allow-origin');
    expect((await ask(bridge, '/hello')).status).toBe(200);
  });
});
