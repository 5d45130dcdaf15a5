export interface Cell {
  call(item: number): unknown;
  per?: number;
  async?: boolean;
}
export interface Method {
  rounds: number;
  block: number;
  warmUp: number;
  clock: 'processor' | 'wall';
}
/** For every cell the microseconds per operation of each round. */
export declare const measure: (cells: readonly Cell[], method: Method) => Promise<number[][]>;
