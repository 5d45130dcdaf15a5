// What a process with PINs and key handles in its memory does first.

import { writeFileSync } from 'node:fs';

/** No memory goes into a core dump of a module that crashes (core(5), coredump_filter). Other systems have no such file. */
export function keepOutOfCoreDumps(): void {
  try {
    writeFileSync('/proc/self/coredump_filter', '0');
  } catch {}
}

/** A Ctrl-C or a service's stop reaches all processes of the group; the host decides when this one ends. */
export function leaveSignalsToHost(): void {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});
}
