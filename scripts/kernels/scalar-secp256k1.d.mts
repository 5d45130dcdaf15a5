export const output: string;
export function generate(): string;
export const N: bigint;
