import { designNamed } from '../../core/locking/presets.js';
import { SouthbridgeError } from '../../errors.js';

/** A design, and a registered scenario or generated program, by name. */
export interface ExaminationTask {
  readonly design: string;
  readonly scenario: string;
}

export interface ScenarioDescription {
  readonly name: string;
  /** The concurrent operations. */
  readonly description: string;
}

/** Explores designs for the server, which knows no explorer. `southbridge serve` has one that starts a process. */
export interface Examiner {
  scenarios(): Promise<readonly ScenarioDescription[]>;
  /** Whether there is a registered scenario or a generated program of this name. */
  has(scenario: string): Promise<boolean>;
  /**
   * The result of one exploration, as plain JSON. Rejects if `signal` ended it, and with a RangeError if it takes more
   * memory than it may.
   */
  examine(task: ExaminationTask, signal: AbortSignal): Promise<object>;
}

/** An exploration that takes longer than this is ended. */
const LIMIT_S = 60;

/** Explorations that clients request: one at a time, and for a limited time. */
export class Examinations {
  #current: AbortController | undefined;

  constructor(readonly examiner?: Examiner) {}

  /** Throws `no-examiner`. */
  scenarios(): Promise<readonly ScenarioDescription[]> {
    return this.#required().scenarios();
  }

  /**
   * Runs one exploration. `left` ends it: nobody waits for the result. Throws `unknown-design`, `unknown-scenario`,
   * `examiner-busy` or `exploration-limit`.
   */
  async run(task: ExaminationTask, left: AbortSignal): Promise<object> {
    const { design, scenario } = task;
    const examiner = this.#required();
    const name = designNamed(design)?.name;
    if (name === undefined) throw new SouthbridgeError('unknown-design', { design: design.slice(0, 80) });
    if (!(await examiner.has(scenario)))
      throw new SouthbridgeError('unknown-scenario', { scenario: scenario.slice(0, 80) });
    if (this.#current) throw new SouthbridgeError('examiner-busy', { retryAfter: 2 });
    const current = new AbortController();
    this.#current = current;
    const end = () => current.abort();
    const timer = setTimeout(end, LIMIT_S * 1000);
    left.addEventListener('abort', end);
    try {
      if (left.aborted) end();
      return await examiner.examine({ design: name, scenario }, current.signal);
    } catch (error) {
      if (!current.signal.aborted && !(error instanceof RangeError)) throw error;
      const limit = current.signal.aborted ? `${LIMIT_S} s` : 'memory';
      throw new SouthbridgeError('exploration-limit', { design: name, scenario, limit });
    } finally {
      clearTimeout(timer);
      left.removeEventListener('abort', end);
      this.#current = undefined;
    }
  }

  /** The server ends. */
  close(): void {
    this.#current?.abort();
  }

  #required(): Examiner {
    if (!this.examiner) throw new SouthbridgeError('no-examiner');
    return this.examiner;
  }
}
