export const P: bigint;
export const output: string;
export function biasFor(magnitude: number): bigint[];
export function generate(options?: { bias?: (magnitude: number) => bigint[] }): string;
