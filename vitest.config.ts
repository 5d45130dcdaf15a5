import { availableParallelism } from 'node:os';
import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config';

// unit: everything that runs in Node. curves-debug: the curve suite on the debug WASM build, with its assertions.
// browser: real browsers, driven from Node.
const projects: TestProjectInlineConfiguration[] = [
  {
    extends: true,
    test: { name: 'unit', include: ['test/**/*.test.ts'], exclude: ['test/browser/**', 'test/hsm/**'] },
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
];

// hsm: the device that the ERST_ variables name, by `npm run test:hsm` alone (--mode hsm). A device is slow.
const hsm: TestProjectInlineConfiguration = {
  extends: true,
  test: { name: 'hsm', include: ['test/hsm/**/*.test.ts'], testTimeout: 30 * 60_000, fileParallelism: false },
};

export default defineConfig(({ mode }) => ({
  test: {
    globalSetup: [],
    maxWorkers: availableParallelism() + 1, // many tests wait for other processes
    // For machines that are slow or stand still for a while: only a test that hangs takes as long.
    testTimeout: 180_000,
    hookTimeout: 240_000,
    projects: mode === 'hsm' ? [hsm] : projects,
  },
}));
