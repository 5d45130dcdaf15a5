// The run in Debian's Chromium and Firefox, each with a page on loopback; the tests start them in the same way.

import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { OURS } from './compare.mjs';
import { inBrowsers } from './measure.mjs';
import { addRows, finish, isNamed, machine, openReport, versionsOf } from './report.mjs';

const quickly = { ...inBrowsers, rounds: 9 };

export async function main(options) {
  const report = openReport(options);
  const { chromium, firefox } = await fixtures();
  const server = await chromium.serveModule(await chromium.bundle('bench/page.mjs'));
  const runs = [];
  try {
    for (const open of [
      () => openChromium(chromium, server.origin),
      () => openFirefox(firefox, server.origin),
    ])
      runs.push(await runIn(open, options, report));
  } finally {
    await server.close();
  }
  return finish(runs, options, report);
}

async function runIn(open, options, report) {
  report.progress('starting a browser …');
  const browser = await open();
  try {
    const { contenders, missing, userAgent } = await browser.evaluate(
      '({ contenders: module.contenders, missing: module.missing, userAgent: module.userAgent })',
    );
    const method = options.quick ? quickly : inBrowsers;
    const wanted = contenders.filter(({ name }) => name === OURS || isNamed(name, options.against));
    const run = {
      machine: machine(nameOf(userAgent)),
      method,
      versions: versionsOf(wanted),
      rows: [],
      missing,
    };
    const names = wanted.map(({ name }) => name);
    await addRows(run, options, report, ({ id }) =>
      browser.evaluate(`module.compareById(${JSON.stringify({ id, names, method })})`),
    );
    return run;
  } finally {
    await browser.close();
  }
}

async function openChromium({ launchChromium, openModule }, origin) {
  const browser = await launchChromium();
  const { page } = await openModule(await browser.newContext(), origin);
  return { evaluate: (expression) => page.evaluate(expression), close: () => browser.close() };
}

async function openFirefox({ Firefox }, origin) {
  const firefox = await Firefox.launch();
  await firefox.goto(`${origin}/`);
  await firefox.waitFor('globalThis.module !== undefined');
  return firefox;
}

/** test/fixtures, compiled. They find the root two folders up. */
async function fixtures() {
  const at = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));
  await build({
    entryPoints: [at('test/fixtures/chromium.ts'), at('test/fixtures/firefox.ts')],
    outdir: at('build/bench'),
    outExtension: { '.js': '.mjs' },
    bundle: true,
    packages: 'external',
    format: 'esm',
    platform: 'node',
    logLevel: 'warning',
  });
  const [chromium, firefox] = await Promise.all(
    ['chromium', 'firefox'].map((name) => import(`../build/bench/${name}.mjs`)),
  );
  return { chromium, firefox };
}

const nameOf = (userAgent) => {
  const [, name, version] = /(Firefox|Chrome)\/(\d+)/.exec(userAgent);
  return `${name === 'Chrome' ? 'Chromium' : name} ${version}`;
};
