export const output: string;
export function generate(options?: { bias?: readonly bigint[] }): string;
