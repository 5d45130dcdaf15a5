// The program of a module's process (build/node/pkcs11-process.js <module>), and of the thread in it that watches the host.

import { isMainThread } from 'node:worker_threads';
import { endWithHost, startHostWatch } from './host-watch.js';

if (isMainThread) {
  const { keepOutOfCoreDumps, leaveSignalsToHost } = await import('./hardening.js');
  keepOutOfCoreDumps();
  leaveSignalsToHost();
  const watching = startHostWatch(new URL(import.meta.url));
  const { serveModule } = await import('./module-server.js');
  await watching;
  await serveModule(process.argv[2] ?? '');
} else {
  endWithHost();
}
