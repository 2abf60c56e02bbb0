import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { loadedDesigns } from '../../core/locking/own-design.js';
import { differInControl, type NamedDesign, PRESETS } from '../../core/locking/presets.js';
import type { CampaignResult } from './campaign.js';
import type { ExploreOptions } from './explorer.js';
import type { Scenario } from './scenario.js';
import { isFromFile } from './scenarios.js';
import type { SeededBug } from './seeded-bugs/seeded-bug.js';

export interface Task {
  readonly named: NamedDesign;
  readonly scenario: Scenario;
  /** Seeded into the code; the design is then the bug's own. */
  readonly bug?: SeededBug | undefined;
}

export type TaskOptions = Pick<
  ExploreOptions,
  'mutex' | 'preemptions' | 'unboundedStates' | 'secondPass' | 'reduction'
>;

/** What a worker is started with. */
export interface ExplorerData {
  /** Modules of designs, as URLs. */
  readonly designs: readonly string[];
}

/** A task as sent to a worker, by the names of its parts; a scenario that was read from a file as a whole. */
export interface NamedTask {
  readonly locking: string;
  readonly scenario: string | Scenario;
  readonly bug?: string | undefined;
  readonly options: TaskOptions;
}

/**
 * Explores every task and yields the results in order. Designs that differ only in how control work enters behave alike
 * in a scenario without control work: it runs once, and counts with the first.
 */
export async function* runAll(
  tasks: readonly Task[],
  options: TaskOptions,
  jobs = availableParallelism(),
): AsyncGenerator<CampaignResult> {
  const runs: Task[] = [];
  const runOf = tasks.map((task) => {
    const same = runs.findIndex((run) => isSameRun(run, task));
    return same >= 0 ? same : runs.push(task) - 1;
  });
  const results: CampaignResult[] = [];
  let at = 0;
  for await (const result of runEach(runs, options, jobs)) {
    results.push(result);
    yield result;
    for (at++; at < tasks.length && runOf[at] < results.length; at++) {
      const locking = tasks[at].named.name;
      yield { ...results[runOf[at]], locking, states: 0, transitions: 0, seconds: 0 };
    }
  }
}

/** A preset always has a run of its own. */
function isSameRun(run: Task, { named, scenario, bug }: Task): boolean {
  if (bug || run.scenario !== scenario || scenario.control || Object.hasOwn(PRESETS, named.name)) return false;
  return differInControl(run.named.design, named.design);
}

/**
 * Explores each task on one of `jobs` threads, and yields the results in order. A single task has
 * a thread of its own as well: the caller can end it at any time.
 */
async function* runEach(tasks: readonly Task[], options: TaskOptions, jobs: number): AsyncGenerator<CampaignResult> {
  const threads = Math.min(jobs, tasks.length);
  const results = tasks.map(() => pending());
  let next = 0;
  const workers = Array.from({ length: threads }, () => {
    const workerData: ExplorerData = { designs: loadedDesigns() };
    const worker = new Worker(new URL('./worker.js', import.meta.url), { workerData });
    let current = -1;
    const begin = () => {
      current = next++;
      if (current >= tasks.length) return;
      const { named, scenario, bug } = tasks[current];
      const sent = isFromFile(scenario) ? scenario : scenario.name;
      const task: NamedTask = { locking: named.name, scenario: sent, bug: bug?.name, options };
      worker.postMessage(task);
    };
    worker.on('message', (result: CampaignResult) => {
      const { bug } = tasks[current];
      results[current].resolve(bug ? { ...result, seededBug: bug } : result);
      begin();
    });
    worker.on('error', (error) => results[current]?.reject(error));
    // Without this, the task of a worker that exits without a result or error would wait forever.
    worker.on('exit', (code) => results[current]?.reject(new Error(`an exploration worker exited with ${code}`)));
    begin();
    return worker;
  });
  try {
    for (const { promise } of results) yield await promise;
  } finally {
    for (const worker of workers) worker.terminate();
  }
}

/** A pending result. */
function pending() {
  let resolve: (result: CampaignResult) => void = () => {};
  let reject: (reason: unknown) => void = () => {};
  const promise = new Promise<CampaignResult>((resolved, rejected) => {
    resolve = resolved;
    reject = rejected;
  });
  // The loop below reports the rejection in order. Until then it must not count as unhandled.
  promise.catch(() => {});
  return { promise, resolve, reject };
}
