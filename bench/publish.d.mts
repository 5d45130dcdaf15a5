/** The files that show figures, by path from the root, as they have to be for these runs. */
export declare const published: (runs: readonly object[]) => Record<string, string>;
