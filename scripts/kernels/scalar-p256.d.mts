export const N: bigint;
export const output: string;
export function generate(): string;
