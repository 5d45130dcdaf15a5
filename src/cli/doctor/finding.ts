// What a check says: one line on what it found and, where something is to be done, one line that a shell takes as it is.

import type { Facts } from './facts.js';

export type Status = 'ok' | 'warning' | 'failed' | 'skipped';

export interface Finding {
  status: Status;
  finding: string;
  fix?: string;
  /** Facts that are known from now on. */
  found?: Partial<Facts>;
}

export const ok = (finding: string, found: Partial<Facts> = {}): Finding => ({
  status: 'ok',
  finding,
  found,
});
/** There is nothing to examine; `found` is what may be taken for granted then. */
export const skipped = (finding: string, found: Partial<Facts> = {}): Finding => ({
  status: 'skipped',
  finding,
  found,
});
/** It can be examined once `fix` is run. */
export const postponed = (finding: string, fix: string): Finding => ({ status: 'skipped', finding, fix });
export const warning = (finding: string, fix: string, found: Partial<Facts> = {}): Finding => ({
  status: 'warning',
  finding,
  fix,
  found,
});
export const failed = (finding: string, fix: string): Finding => ({ status: 'failed', finding, fix });
