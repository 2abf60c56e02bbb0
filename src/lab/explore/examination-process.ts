import { constants, setPriority } from 'node:os';
import { loadDesigns } from '../../core/locking/own-design.js';
import { designNamed } from '../../core/locking/presets.js';
import { describeExamination } from './examination.js';
import { scenarioNamed } from './scenarios.js';
import { runAll } from './workers.js';

/** The exit status of a process that ran out of memory. */
const OUT_OF_MEMORY = 134;

/**
 * A process that the server starts for one exploration. Its arguments name a design, a scenario, and the modules of designs
 * that the server has loaded. It sends the result to its parent. A thread explores, so the main thread can notice that the
 * parent has disconnected, and exit.
 */
setPriority(constants.priority.PRIORITY_LOW);
process.on('disconnect', () => process.exit(1));
const [design, scenario, ...modules] = process.argv.slice(2);
await loadDesigns(modules);
const named = designNamed(design);
if (!named) throw new Error(`there is no design ${design}`);
try {
  const tasks = [{ named, scenario: scenarioNamed(scenario) }];
  for await (const result of runAll(tasks, { mutex: 'blocking' })) {
    process.send?.(describeExamination(result), () => process.exit(0));
  }
} catch (error) {
  if ((error as NodeJS.ErrnoException).code === 'ERR_WORKER_OUT_OF_MEMORY') process.exit(OUT_OF_MEMORY);
  throw error;
}
