/** Mutants that no run can tell from the original, by what they change. */
export interface Argued {
  readonly file: string;
  readonly rules: readonly string[];
  /** Part of the mutated text. */
  readonly text: string;
  readonly why: string;
}

export const ARGUED: readonly Argued[] = [];
