/** docs/HSM.md with the table of a run. */
export declare const withThroughput: (text: string, rows: readonly object[]) => string;
