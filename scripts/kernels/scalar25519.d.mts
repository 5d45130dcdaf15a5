export const output: string;
export function generate(): string;
