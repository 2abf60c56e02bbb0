import { isCoalesced } from './coalescing.js';
import { describeStep, hexadecimal, renderOutputs } from './render.js';
import { type ReplayMachine, type StepOutcome, TargetLost } from './target.js';
import { isOutputOf, type Output, type Step, type Trace, type TraceLine } from './trace.js';

/** The first difference between a trace and a machine. */
export interface Mismatch {
  readonly file: string;
  readonly line: number;
  /** Number of the step among the trace's steps, from 1. */
  readonly step: number;
  readonly operation: string;
  readonly expected: string;
  readonly got: string;
}

export interface PlayOptions {
  /** Called after each step with the number of completed steps. */
  readonly onProgress?: (done: number) => void;
  /** Milliseconds without any answer after which the target counts as lost. */
  readonly patience?: number;
  /** Whether outputs of one access that cancel each other may be missing, see `coalescing.ts`. */
  readonly coalesces?: boolean;
  /** Called for each step of a golden trace in which such outputs were missing. */
  readonly onCoalesced?: () => void;
}

/** Most steps in flight: enough to hide the round trip to a server. */
const WINDOW = 256;

/** Far more than the longest step of any trace takes. */
const PATIENCE_MS = 30_000;

/** How far the number of raised lines may be from the recorded one: the recording's clock is interpolated. */
const RAISES_TOLERANCE = 0.03;

/**
 * Replays a trace. Of a golden trace every value and output must match; of a guest trace every recorded value, and the
 * number of times that the HPET raised a line. Returns the first mismatch, if any, once no step is in flight.
 * Throws TargetLost.
 */
export async function play(
  trace: Trace,
  machine: ReplayMachine,
  options: PlayOptions = {},
): Promise<Mismatch | undefined> {
  return new Player(trace, machine, options).play();
}

interface StepInFlight {
  /** Undefined: the clock moves to the next record of a guest trace. */
  readonly line: TraceLine | undefined;
  readonly step: Step;
  readonly outcome: Promise<StepOutcome>;
}

class Player {
  readonly #golden: boolean;
  readonly #inFlight: StepInFlight[] = [];
  #raises = 0;
  #done = 0;
  #answers = 0;

  constructor(
    readonly trace: Trace,
    readonly machine: ReplayMachine,
    readonly options: PlayOptions,
  ) {
    this.#golden = trace.format !== 'guest-trace/1';
  }

  async play(): Promise<Mismatch | undefined> {
    const patience = this.options.patience ?? PATIENCE_MS;
    let watchdog: NodeJS.Timeout | undefined;
    const stalled = new Promise<never>((_, reject) => {
      let seen = -1;
      watchdog = setInterval(() => {
        if (seen === this.#answers) reject(new TargetLost(`no answer for ${patience} ms to ${this.#oldest()}`));
        seen = this.#answers;
      }, patience);
    });
    try {
      return (await Promise.race([this.#playLines(), stalled])) ?? this.#compareRaises();
    } finally {
      clearInterval(watchdog);
    }
  }

  async #playLines(): Promise<Mismatch | undefined> {
    let clock = 0;
    let mismatch: Mismatch | undefined;
    for (const line of this.trace.lines) {
      if (line.clock !== undefined && line.clock > clock) {
        this.#perform(undefined, { op: 'clock_step', ns: line.clock - clock });
        clock = line.clock;
      }
      this.#perform(line, line.step);
      mismatch = await this.#settle(WINDOW);
      if (mismatch) break;
    }
    mismatch ??= await this.#settle(0);
    while (this.#inFlight.length) await this.#next();
    return mismatch;
  }

  #perform(line: TraceLine | undefined, step: Step): void {
    const outcome = this.machine.perform(step);
    // The oldest step in flight reports a lost target; the others fail with it.
    outcome.catch(() => {});
    this.#inFlight.push({ line, step, outcome });
  }

  async #next(): Promise<StepInFlight & { result: StepOutcome }> {
    const oldest = this.#inFlight[0];
    const result = await oldest.outcome;
    this.#inFlight.shift();
    this.#answers++;
    return { ...oldest, result };
  }

  /** Waits until at most `limit` steps are in flight; returns the first mismatch. */
  async #settle(limit: number): Promise<Mismatch | undefined> {
    while (this.#inFlight.length > limit) {
      const { line, step, result } = await this.#next();
      for (const output of result.outputs) if (output.out === 'irq' && output.level === 1) this.#raises++;
      if (line) this.options.onProgress?.(++this.#done);
      const mismatch = this.#compare(line, step, result);
      if (mismatch) return mismatch;
    }
    return undefined;
  }

  #compare(line: TraceLine | undefined, step: Step, { value, outputs, refused }: StepOutcome): Mismatch | undefined {
    if (refused !== undefined) return this.#mismatch(line, step, 'to be done', `refused: ${refused}`);
    // The bus reads 0 where no device answers.
    const got = value ?? 0n;
    const expected = expectedOf(step);
    if (expected !== undefined && got !== expected) {
      const size = step.op === 'read' ? step.size : 1;
      return this.#mismatch(line, step, hexadecimal(expected, size), hexadecimal(got, size));
    }
    if (!this.#golden || !line) return undefined;
    return this.#compareOutputs(line, outputs);
  }

  #compareOutputs(line: TraceLine, outputs: readonly Output[]): Mismatch | undefined {
    const relevant = outputs.filter((output) => isOutputOf(this.trace.kind, output.out));
    if (relevant.length === 0 && line.outputs.length === 0) return undefined;
    const expected = renderOutputs(line.outputs);
    const got = renderOutputs(relevant);
    if (expected === got) return undefined;
    if (!this.options.coalesces || !isCoalesced(line.step, line.outputs, relevant)) {
      return this.#mismatch(line, line.step, expected, got);
    }
    this.options.onCoalesced?.();
    return undefined;
  }

  #compareRaises(): Mismatch | undefined {
    const { raises, lines, file } = this.trace;
    if (this.#golden || Math.abs(this.#raises - raises) <= raises * RAISES_TOLERANCE) return undefined;
    return {
      file,
      line: lines.at(-1)?.line ?? 1,
      step: lines.length,
      operation: 'end of trace',
      expected: `HPET lines raised ${raises} times, within ${RAISES_TOLERANCE * 100} %`,
      got: `${this.#raises} times`,
    };
  }

  #mismatch(line: TraceLine | undefined, step: Step, expected: string, got: string): Mismatch {
    // The clock moves for the sake of the record that is next.
    const at = line ?? this.trace.lines[this.#done];
    return {
      file: this.trace.file,
      line: at.line,
      step: this.trace.lines.indexOf(at) + 1,
      operation: describeStep(step),
      expected,
      got,
    };
  }

  #oldest(): string {
    const oldest = this.#inFlight[0];
    return oldest ? describeStep(oldest.step) : 'anything';
  }
}

/** What a step must read, if the trace has it. */
function expectedOf(step: Step): bigint | undefined {
  return step.op === 'read' || step.op === 'in' || step.op === 'inta' ? step.value : undefined;
}
