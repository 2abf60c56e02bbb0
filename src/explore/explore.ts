import type { Design } from '../locking/axes.js';
import { Execution } from './execution.js';
import { type Exploration, type ExploreOptions, Explorer } from './explorer.js';
import { History } from './history.js';
import { type Laboratory, laboratory } from './laboratory.js';
import { BlockingLocks, Merging } from './merging.js';
import type { Oracle } from './oracle.js';
import { deadlock } from './oracles/deadlock.js';
import { failure } from './oracles/failure.js';
import { locksReleased } from './oracles/locks-released.js';
import { race } from './oracles/race.js';
import type { Scenario } from './scenario.js';
import { BEGIN_ANEW, Sharing } from './sharing.js';
import { System } from './system.js';
import { Words } from './words.js';

/** Explores one scenario under one locking design. */
export function explore(scenario: Scenario, design: Design, options: ExploreOptions = {}): Exploration {
  const lab = laboratory(scenario, design, options.merge ?? true);
  const sharing = new Sharing(lab.map.words);
  for (;;) {
    let explorer: Explorer | undefined;
    const system = makeSystem(lab, sharing, options, (thread) => explorer?.stepEnded(thread));
    explorer = new Explorer(system, oraclesFor(lab), options);
    try {
      return explorer.run();
    } catch (thrown) {
      if (thrown !== BEGIN_ANEW) throw thrown;
    }
  }
}

/** A system at the start of a laboratory's scenario. */
export function makeSystem(
  lab: Laboratory,
  sharing: Sharing,
  { merge = true, mutex = 'futex' }: ExploreOptions,
  onStepEnd: (thread: number) => void,
): System {
  const words = new Words(lab.initial);
  const execution = new Execution(words, { times: lab.scenario.times, now: 0 });
  const threads = lab.threads.map((thread) => ({ ...thread, history: new History() }));
  const { machine } = lab.names;
  return new System(
    threads,
    words,
    execution,
    sharing,
    merge ? new Merging(machine) : undefined,
    mutex === 'blocking' ? new BlockingLocks(machine) : undefined,
    onStepEnd,
  );
}

function oraclesFor({ names }: Laboratory): Oracle[] {
  return [deadlock(names), race(names), locksReleased(names), failure];
}
