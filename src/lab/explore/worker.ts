import { parentPort, workerData } from 'node:worker_threads';
import { loadDesigns } from '../../core/locking/own-design.js';
import { designNamed } from '../../core/locking/presets.js';
import { runOne, runSeededBug } from './campaign.js';
import { addScenario, findScenario, scenarioNamed } from './scenarios.js';
import { findSeededBug } from './seeded-bugs.js';
import type { ExplorerData, NamedTask } from './workers.js';

await loadDesigns((workerData as ExplorerData).designs);

/** A worker thread: explores the tasks that it receives, one after the other. */
parentPort?.on('message', ({ locking, scenario: given, bug: bugName, options }: NamedTask) => {
  const named = designNamed(locking);
  if (typeof given !== 'string' && !findScenario(given.name)) addScenario(given);
  const scenario = scenarioNamed(typeof given === 'string' ? given : given.name);
  if (!named) throw new Error(`there is no design ${locking}`);
  const bug = bugName === undefined ? undefined : findSeededBug(bugName);
  // A seeded bug holds functions, which cannot be sent.
  const { seededBug: _, ...result } = bug ? runSeededBug(bug, scenario, options) : runOne(named, scenario, options);
  parentPort?.postMessage(result);
});
