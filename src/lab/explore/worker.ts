import { parentPort } from 'node:worker_threads';
import { designNamed } from '../../core/locking/presets.js';
import { runOne } from './campaign.js';
import { scenarioNamed } from './scenarios.js';
import type { NamedTask } from './workers.js';

/** A worker thread: explores the tasks that it receives, one after the other. */
parentPort?.on('message', ({ locking, scenario: name, options }: NamedTask) => {
  const named = designNamed(locking);
  const scenario = scenarioNamed(name);
  if (!named) throw new Error(`there is no design ${locking}`);
  parentPort?.postMessage(runOne(named, scenario, options));
});
