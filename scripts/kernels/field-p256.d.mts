export const P: bigint;
export const LIMB: bigint;
export const TOP_LIMB: bigint;
export const output: string;
export function generate(): string;
