// The console's files, read once at the start: what is served is what was there then, under exactly those names. A
// request's path is looked up and never turned into a file's path.

import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { extname, join, relative, sep } from 'node:path';

import { ConfigError } from '../errors.js';
import type { Site } from './site.js';

interface StaticFile {
  readonly body: Uint8Array;
  readonly type: string;
  readonly etag: string;
}

/** What a request is answered with. */
export interface Page {
  status: number;
  headers: Readonly<Record<string, string>>;
  body?: string | Uint8Array;
}

export type StaticFiles = ReadonlyMap<string, StaticFile>;

const MAX_TOTAL_BYTES = 32 * 1024 * 1024;
const TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.ico': 'image/x-icon',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
  '.wasm': 'application/wasm',
};

/**
 * Reads the files under `dir` that are of a known type; hidden ones and symbolic links are left out. `index.html` is
 * also `/`. `ConfigError` where the directory cannot be read.
 */
export async function readStaticFiles(dir: string): Promise<StaticFiles> {
  const files = new Map<string, StaticFile>();
  let total = 0;
  for (const path of await listFiles(dir)) {
    const type = TYPES[extname(path)];
    if (type === undefined) continue;
    const body = await readFile(path);
    total += body.length;
    if (total > MAX_TOTAL_BYTES)
      throw new ConfigError('consoleDir', `${dir} holds more than 32 MiB; is it the console?`);
    const etag = `"${createHash('sha256').update(body).digest('base64url')}"`;
    files.set(`/${relative(dir, path).split(sep).join('/')}`, { body, type, etag });
  }
  const index = files.get('/index.html');
  if (index) files.set('/', index);
  return files;
}

async function listFiles(dir: string): Promise<string[]> {
  try {
    const entries = await readdir(dir, { withFileTypes: true, recursive: true });
    const paths = entries
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name));
    return paths.filter(
      (path) =>
        !relative(dir, path)
          .split(sep)
          .some((part) => part.startsWith('.')),
    );
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new ConfigError('consoleDir', `cannot read the console's files in ${dir} (${code})`, { cause });
  }
}

/** The file, or 304 where the client has it already. */
export function staticPage(file: StaticFile, knownEtag: string | undefined): Page {
  const headers = { 'Cache-Control': 'no-cache', ETag: file.etag };
  if (knownEtag === file.etag) return { status: 304, headers };
  return { status: 200, headers: { ...headers, 'Content-Type': file.type }, body: file.body };
}

/** Headers of every answer. A page may load and connect to nothing but this bridge. */
export function pageHeaders(site: Site): Record<string, string> {
  const sockets = [...new Set([site.url, site.consoleOrigin.replace(/^http/, 'ws')])].map((url) =>
    url.replace(/\/$/, ''),
  );
  return {
    'Content-Security-Policy': [
      "default-src 'none'",
      "script-src 'self' 'wasm-unsafe-eval'",
      "style-src 'self'",
      "img-src 'self' data:",
      `connect-src ${["'self'", ...new Set(sockets)].join(' ')}`,
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
    ].join('; '),
    'X-Content-Type-Options': 'nosniff',
    'X-Frame-Options': 'DENY',
    'Referrer-Policy': 'no-referrer',
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Cross-Origin-Resource-Policy': 'same-origin',
    'Permissions-Policy': 'camera=(), microphone=(), geolocation=(), payment=()',
  };
}
