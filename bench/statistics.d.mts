export interface Summary {
  median: number;
  quartiles: [number, number];
}
export declare const quantile: (numbers: readonly number[], share: number) => number;
export declare const median: (numbers: readonly number[]) => number;
export declare const summary: (numbers: readonly number[]) => Summary;
export declare const pairedRatios: (ours: readonly number[], theirs: readonly number[]) => number[];
