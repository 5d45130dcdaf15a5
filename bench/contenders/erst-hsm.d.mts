import type { Contender } from '../compare.mjs';

export declare const ours: (name: string, curves: () => unknown) => Contender;
