export const L: bigint;
export const output: string;
export function generate(): string;
