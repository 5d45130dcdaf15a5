export interface Requirement {
  id: string;
  against: string;
  must?: number;
  aim?: number;
}
export interface Verdict extends Requirement {
  ratio: number | undefined;
}
export declare const requirements: readonly Requirement[];
export declare const judge: (
  rows: readonly { id: string; cells: readonly { name: string; ratio?: { median: number } }[] }[],
  isMeant: (requirement: Requirement) => boolean,
) => Verdict[];
export declare const fails: (verdict: Verdict) => boolean;
