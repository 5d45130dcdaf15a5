// The bridge's log on standard error: JSON lines by pino, or one short line a record where a person watches.

import { destination, type Logger, type LoggerOptions, pino, stdTimeFunctions } from 'pino';
import { ConfigError } from '../errors.js';
import { styled } from './output.js';

const LEVELS = ['silent', 'error', 'warn', 'info', 'debug'];

/** Fields whose value is never written, should one reach the log by mistake. */
const SECRET_FIELDS = ['pin', 'passphrase', 'secret', 'link', 'privateKeyPem', 'data'];

export interface StartingLog {
  log: Logger;
  /** Lets through what a terminal is spared until the announcement has said it better. */
  afterStart(): void;
}

/** A logger at the level of `ERST_LOG`; where that is not set, `info`, and at a terminal `warn` until `afterStart`. */
export function createLog(): StartingLog {
  const chosen = process.env.ERST_LOG;
  if (chosen !== undefined && !LEVELS.includes(chosen)) {
    throw new ConfigError(
      'ERST_LOG',
      `ERST_LOG must be one of ${LEVELS.join(', ')}. Example: ERST_LOG=debug`,
    );
  }
  const level = chosen ?? 'info';
  const isWatched = process.stderr.isTTY === true;
  const options: LoggerOptions = {
    level: chosen === undefined && isWatched ? 'warn' : level,
    base: null,
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    redact: SECRET_FIELDS.flatMap((field) => [field, `*.${field}`]),
  };
  const log = pino(options, isWatched ? linesForPeople : destination({ fd: 2, sync: true }));
  return {
    log,
    afterStart() {
      log.level = level;
    },
  };
}

const linesForPeople = {
  write(record: string): void {
    const { time, level, msg, ...fields } = JSON.parse(record) as Record<string, unknown>;
    if ('client' in fields) delete fields.fingerprint;
    const clock = new Date(time as string).toTimeString().slice(0, 8);
    const color = level === 'error' ? 'red' : level === 'warn' ? 'yellow' : 'dim';
    const details = Object.entries(fields).map(([name, value]) => `${name}=${short(value)}`);
    const line = [clock, String(level).padEnd(5), msg, ...details].join(' ');
    process.stderr.write(`${styled(process.stderr, color, line)}\n`);
  },
};

function short(value: unknown): string {
  if (typeof value === 'object' && value !== null && 'message' in value) return JSON.stringify(value.message);
  return typeof value === 'string' && /^[\w./:@+-]+$/.test(value) ? value : JSON.stringify(value);
}
