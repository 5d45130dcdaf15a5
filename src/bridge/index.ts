// erst-hsm/bridge

export { createBridge } from './bridge.js';
export type { Bridge, BridgeOptions, BridgeStatus, ClientStatus } from './bridge-types.js';
export type { PairOptions } from './grant.js';
export { type BridgeLimits, DEFAULT_LIMITS } from './limits.js';
export type { BridgeLog } from './log.js';
export type { TlsFiles } from './tls.js';
