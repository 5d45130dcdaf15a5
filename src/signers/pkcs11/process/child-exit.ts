// How a module's process ended, in words, and the errors of the calls that this left without an answer.

import { Pkcs11Error } from '../../../errors.js';
import type { Call } from './calls-in-flight.js';

const FAULTS: ReadonlySet<string> = new Set(['SIGSEGV', 'SIGBUS', 'SIGILL', 'SIGFPE', 'SIGABRT', 'SIGTRAP']);

/** Of the arguments of `exit`. */
export function exitReason(code: number | null, signal: NodeJS.Signals | null): string {
  if (signal === null) return `exit code ${code}`;
  if (FAULTS.has(signal)) return `${signal}, a fault in the module`;
  if (signal === 'SIGKILL') return 'SIGKILL from outside, e.g. for want of memory';
  return signal;
}

const SEE_MORE = 'ERST_LOG=debug shows what the module prints';

/** For a call without an answer; `reason` says why the process ended. */
export function crashed(modulePath: string, reason: string, method?: Call['method']): Pkcs11Error {
  const when = method === undefined ? '' : ` before it answered ${nameOf(method)}`;
  const message = `The process of ${modulePath} ended${when} (${reason}). Try again, which starts another; ${SEE_MORE}`;
  return new Pkcs11Error('module-crashed', message);
}

/** For a call that outlived its time. */
export function tooLate(modulePath: string, timeoutMs: number, method: Call['method']): Pkcs11Error {
  if (method === 'boot') {
    const message = `The process for ${modulePath} did not start: see that this machine is not overloaded, then try again`;
    return new Pkcs11Error('timeout', message);
  }
  const message = `${modulePath} did not return from ${nameOf(method)} within ${timeoutMs} ms, and its process was ended. See that the token answers; for a slow one raise ERST_PKCS11_TIMEOUT_MS`;
  return new Pkcs11Error('timeout', message);
}

function nameOf(method: Call['method']): string {
  if (method === 'boot') return 'its start';
  return method === 'load' ? 'C_Initialize' : method;
}
