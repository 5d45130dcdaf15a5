import { defineConfig } from 'vitest/config';

// unit: everything that runs in Node. curves-debug: the curve suite on the debug WASM build, with its assertions.
// browser: real browsers, driven from Node.
export default defineConfig({
  test: {
    globalSetup: [],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    projects: [
      {
        extends: true,
        test: { name: 'unit', include: ['test/**/*.test.ts'], exclude: ['test/browser/**'] },
      },
      {
        extends: true,
        resolve: { conditions: ['erst-debug'] },
        ssr: { resolve: { conditions: ['erst-debug'] } },
        test: {
          name: 'curves-debug',
          include: ['test/curves/**/*.test.ts'],
          exclude: ['test/curves/planted-leaks.test.ts'], // compiles a module of its own
          env: { ERST_CURVES_BUILD: 'debug' },
        },
      },
      {
        extends: true,
        test: { name: 'browser', include: ['test/browser/**/*.test.ts'], fileParallelism: false },
      },
    ],
  },
});
