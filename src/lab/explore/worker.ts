import { parentPort } from 'node:worker_threads';
import { designNamed } from '../../core/locking/presets.js';
import { runOne, runSeededBug } from './campaign.js';
import { scenarioNamed } from './scenarios.js';
import { findSeededBug } from './seeded-bugs.js';
import type { NamedTask } from './workers.js';

/** A worker thread: explores the tasks that it receives, one after the other. */
parentPort?.on('message', ({ locking, scenario: name, bug: bugName, options }: NamedTask) => {
  const named = designNamed(locking);
  const scenario = scenarioNamed(name);
  if (!named) throw new Error(`there is no design ${locking}`);
  const bug = bugName === undefined ? undefined : findSeededBug(bugName);
  // A seeded bug holds functions, which cannot be sent.
  const { seededBug: _, ...result } = bug ? runSeededBug(bug, scenario, options) : runOne(named, scenario, options);
  parentPort?.postMessage(result);
});
