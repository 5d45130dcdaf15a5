export const P: bigint;
export const BIAS: bigint[];
export const output: string;
export function generate(options?: { bias?: bigint[] }): string;
