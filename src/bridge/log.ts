// Where the bridge tells its operator what happens. Never a secret, never data to be signed.

/** A structured log; pino's loggers fit. */
export interface BridgeLog {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

const nothing = () => {};

/** Says nothing: the default of a bridge inside another program. */
export const silentLog: BridgeLog = { debug: nothing, info: nothing, warn: nothing, error: nothing };
