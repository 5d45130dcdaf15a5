import type { Operation } from './compare.mjs';

export declare const operations: readonly Operation[];
