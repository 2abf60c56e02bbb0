import { basename } from 'node:path';
import type { Profile, Quirk } from '../../core/devices/quirks.js';
import { PRESETS, type PresetName } from '../../core/locking/presets.js';
import type { Candidate } from './find.js';
import { type Mismatch, play } from './player.js';
import { type ReplayTarget, TargetLost, TargetRefusal, TargetUnreachable } from './target.js';
import { NotATraceError, readTrace, type Trace, TraceError } from './trace.js';

export interface RunOptions {
  /** Undefined: `qemu-11.1` for golden traces, `standard` for guest traces. */
  readonly profile?: Profile;
  /** Single quirks, on or off whatever the profile says. */
  readonly quirks?: Readonly<Partial<Record<Quirk, boolean>>>;
  readonly locking: PresetName;
}

/** What came of one trace. */
export interface TraceResult {
  readonly file: string;
  /** The name in its header; the file's, if that cannot be read. */
  readonly name: string;
  readonly profile: Profile | null;
  readonly passed: boolean;
  /** Executed steps, matching or not. */
  readonly steps: number;
  /** Steps without line changes that cancel each other, where the locking design may omit them. */
  readonly coalesced: number;
  readonly seconds: number;
  readonly mismatch: Mismatch | null;
  /** Why the trace could not be replayed to its end, if not because of a mismatch. */
  readonly error: string | null;
}

export interface Report {
  readonly results: readonly TraceResult[];
  /** Files in folders that are no traces, with the reason. */
  readonly skipped: readonly { readonly file: string; readonly reason: string }[];
  readonly passed: number;
  readonly failed: number;
}

export interface Observer {
  started(file: string, number: number): void;
  stepped(done: number): void;
  finished(result: TraceResult): void;
  skipped(reason: string): void;
}

/**
 * Replays all candidates on the target, one after the other. A target that is lost fails all that are left. Throws
 * TargetUnreachable if nothing was replayed before that.
 */
export async function replayAll(
  candidates: readonly Candidate[],
  target: ReplayTarget,
  options: RunOptions,
  observer: Observer,
): Promise<Report> {
  const results: TraceResult[] = [];
  const skipped: { file: string; reason: string }[] = [];
  let lost: TargetLost | undefined;
  for (const [index, { file, named }] of candidates.entries()) {
    observer.started(file, index + 1);
    const trial = new Trial(file, target, options, observer);
    try {
      results.push(lost ? trial.failed(`not run: ${target.name} was lost`) : await trial.run());
    } catch (error) {
      if (error instanceof NotATraceError && !named) {
        skipped.push({ file, reason: error.message });
        observer.skipped(error.message);
        continue;
      }
      if (!isExpected(error)) throw error;
      if (error instanceof TargetLost) {
        if (error instanceof TargetUnreachable && results.every(({ steps }) => steps === 0)) throw error;
        lost = error;
      }
      results.push(trial.failed(error.message));
    }
    observer.finished(results.at(-1) as TraceResult);
  }
  const passed = results.filter((result) => result.passed).length;
  return { results, skipped, passed, failed: results.length - passed };
}

function isExpected(error: unknown): error is Error {
  return error instanceof TraceError || error instanceof TargetRefusal || error instanceof TargetLost;
}

/** One trace on one machine. */
class Trial {
  #name: string;
  #profile: Profile | null = null;
  #steps = 0;
  #coalesced = 0;
  readonly #begin = performance.now();

  constructor(
    readonly file: string,
    readonly target: ReplayTarget,
    readonly options: RunOptions,
    readonly observer: Observer,
  ) {
    this.#name = basename(file, '.jsonl');
  }

  async run(): Promise<TraceResult> {
    const trace = readTrace(this.file);
    const profile = this.options.profile ?? defaultProfile(trace);
    this.#name = trace.name;
    this.#profile = profile;
    const { quirks, locking } = this.options;
    const machine = await this.target.open(trace, { profile, quirks, locking });
    const onProgress = (done: number) => {
      this.#steps = done;
      this.observer.stepped(done);
    };
    let mismatch: Mismatch | undefined;
    try {
      mismatch = await play(trace, machine, {
        onProgress,
        coalesces: PRESETS[this.options.locking].irq.coalesces,
        onCoalesced: () => {
          this.#coalesced++;
        },
      });
    } catch (error) {
      // The first failure is the one to report.
      await machine.close().catch(() => {});
      throw error;
    }
    try {
      await machine.close();
    } catch (error) {
      return this.#result(mismatch ?? null, `the machine could not be removed: ${(error as Error).message}`);
    }
    return this.#result(mismatch ?? null, null);
  }

  failed(error: string): TraceResult {
    return this.#result(null, error);
  }

  #result(mismatch: Mismatch | null, error: string | null): TraceResult {
    return {
      file: this.file,
      name: this.#name,
      profile: this.#profile,
      passed: mismatch === null && error === null,
      steps: this.#steps,
      coalesced: this.#coalesced,
      seconds: (performance.now() - this.#begin) / 1000,
      mismatch,
      error,
    };
  }
}

function defaultProfile(trace: Trace): Profile {
  return trace.format === 'guest-trace/1' ? 'standard' : 'qemu-11.1';
}
