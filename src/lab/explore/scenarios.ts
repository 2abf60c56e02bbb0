import { parseProgram, scenarioOf } from './programs/program.js';
import type { Scenario } from './scenario.js';
import { BACKGROUND_LOAD } from './scenarios/background-load.js';
import { CALLBACKS } from './scenarios/callbacks.js';
import { CONTROL } from './scenarios/control.js';
import { COUNTER } from './scenarios/counter.js';
import { DEADLINES } from './scenarios/deadlines.js';
import { GATEWAY } from './scenarios/gateway.js';
import { INTERRUPT_CONTROLLERS } from './scenarios/interrupt-controllers.js';
import { LINES } from './scenarios/lines.js';
import { MUTEXES } from './scenarios/mutexes.js';
import { XEN } from './scenarios/xen.js';

/** The tables of scenarios, by subject. */
export const SCENARIO_GROUPS: { readonly [subject: string]: readonly Scenario[] } = {
  Callbacks: CALLBACKS,
  Deadlines: DEADLINES,
  Lines: LINES,
  'Interrupt controllers': INTERRUPT_CONTROLLERS,
  'Control work': CONTROL,
  'Background load': BACKGROUND_LOAD,
  'Main counter': COUNTER,
  'Gateway and rings': GATEWAY,
  Mutexes: MUTEXES,
  'Xen filter': XEN,
};

export const SCENARIOS: readonly Scenario[] = Object.values(SCENARIO_GROUPS).flat();

/** Scenarios that were read from files. */
const added: Scenario[] = [];

/** Makes a scenario known under its name, which no other has. */
export function addScenario(scenario: Scenario): void {
  added.push(scenario);
}

/** Whether another thread does not know a scenario by its name. */
export function isFromFile(scenario: Scenario): boolean {
  return added.includes(scenario);
}

/** Undefined if no scenario and no generated program has this name. */
export function findScenario(name: string): Scenario | undefined {
  const program = parseProgram(name);
  return program ? scenarioOf(program) : [...SCENARIOS, ...added].find((scenario) => scenario.name === name);
}

/** Throws if no scenario has this name. */
export function scenarioNamed(name: string): Scenario {
  const scenario = findScenario(name);
  if (!scenario) throw new Error(`there is no scenario ${name}`);
  return scenario;
}
