import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { ExaminationTask, Examiner, ScenarioDescription } from '../server/service/examinations.js';

const PROGRAM = fileURLToPath(new URL('../lab/explore/examination-process.js', import.meta.url));
/** Most memory of an exploration. */
const HEAP_MIB = 512;
/** The exit status of a process that took more. */
const OUT_OF_MEMORY = 134;

/** Runs each exploration in a process of its own, at the lowest priority. */
export class ProcessExaminer implements Examiner {
  async scenarios(): Promise<readonly ScenarioDescription[]> {
    // Loaded when it is needed: most servers run no exploration.
    const { SCENARIOS } = await import('../lab/explore/scenarios.js');
    return SCENARIOS.map(({ name, description }) => ({ name, description }));
  }

  async has(scenario: string): Promise<boolean> {
    const { findScenario } = await import('../lab/explore/scenarios.js');
    return findScenario(scenario) !== undefined;
  }

  async examine({ design, scenario }: ExaminationTask, signal: AbortSignal): Promise<object> {
    const { loadedDesigns } = await import('../core/locking/own-design.js');
    return new Promise((resolve, reject) => {
      const child = fork(PROGRAM, [design, scenario, ...loadedDesigns()], {
        execArgv: [`--max-old-space-size=${HEAP_MIB}`],
        env: {},
        stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
        signal,
        killSignal: 'SIGKILL',
      });
      child.once('message', (result) => resolve(result as object));
      child.once('error', reject);
      child.once('exit', (code, end) => {
        const Kind = code === OUT_OF_MEMORY || end === 'SIGABRT' ? RangeError : Error;
        reject(new Kind(`the exploration ended with ${code ?? end}`));
      });
    });
  }
}
