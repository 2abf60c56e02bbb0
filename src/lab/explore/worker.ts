import { parentPort } from 'node:worker_threads';
import { runOne, scenarioNamed } from './campaign.js';
import { designNamed } from './designs.js';
import type { NamedTask } from './workers.js';

/** The body of a worker: explores what it is told, one after the other. */
parentPort?.on('message', ({ locking, scenario: name, options }: NamedTask) => {
  const named = designNamed(locking);
  const scenario = scenarioNamed(name);
  if (!named || !scenario) throw new Error(`there is no design ${locking}, or no scenario ${name}`);
  parentPort?.postMessage(runOne(named, scenario, options));
});
