import type { Method } from './measure.mjs';
import type { Summary } from './statistics.mjs';

export interface Operation {
  id: string;
  curve: string;
  name: string;
}
export interface Contender {
  name: string;
  kind: string;
  load(): Promise<Record<string, unknown>>;
}
export interface LoadedContender extends Contender {
  cells: Record<string, unknown>;
}
export interface ComparedCell {
  name: string;
  kind: string;
  microseconds: Summary;
  perSecond: number;
  ratio?: Summary;
  rounds: number[];
}
export declare const OURS: string;
export declare const load: (
  contenders: readonly Contender[],
) => Promise<{ loaded: LoadedContender[]; missing: { name: string; reason: string }[] }>;
export declare const compare: (
  operation: Operation,
  contenders: readonly LoadedContender[],
  method: Method,
) => Promise<Operation & { cells: ComparedCell[] }>;
