import { Command, InvalidArgumentError, Option } from 'commander';
import { loadOwnDesign } from '../config/own-design.js';
import { allCombinations, allPresets, designNamed, type NamedDesign, PRESETS } from '../core/locking/presets.js';
import { verdictText } from '../core/locking/verdicts.js';
import { type CampaignResult, verdictOn } from '../lab/explore/campaign.js';
import { faults } from '../lab/explore/finding.js';
import { markdownTable } from '../lab/explore/markdown-table.js';
import { PREPARED_NAMES } from '../lab/explore/programs/sweep.js';
import { ReplayError } from '../lab/explore/replay.js';
import { parseReplayString, replay } from '../lab/explore/replay-string.js';
import type { Scenario } from '../lab/explore/scenario.js';
import { readScenario } from '../lab/explore/scenario-file.js';
import { addScenario, findScenario, SCENARIOS } from '../lab/explore/scenarios.js';
import type { SeededBug } from '../lab/explore/seeded-bugs/seeded-bug.js';
import { findSeededBug, SEEDED_BUGS } from '../lab/explore/seeded-bugs.js';
import { runAll } from '../lab/explore/workers.js';
import { designOption, listOf, parseLate, whole } from './arguments.js';
import { exploreGenerated, type GeneratedOptions } from './explore-generated.js';
import {
  FORMATS,
  type Format,
  printJson,
  printMail,
  printOne,
  printReplay,
  printText,
  printTotal,
} from './explore-report.js';
import { fromHere, ownCommand, Progress, wrapped } from './terminal.js';

/** The scenarios of `--scenario`, and the file that the only one is from. */
interface Chosen {
  readonly scenarios: readonly Scenario[];
  readonly file?: string;
}

interface Options extends Omit<GeneratedOptions, 'locking'> {
  readonly generated?: true;
  readonly locking?: string;
  readonly design?: string;
  readonly scenario: Chosen;
  readonly preemptions?: number;
  readonly mutex: 'futex' | 'blocking';
  readonly reduction: 'off' | 'on';
  readonly format: Format;
  readonly table?: true;
  readonly seededBug?: SeededBug;
  readonly replay?: string;
}

const HELP = `
Verdicts: PASS no findings; NOTE informative findings only (atomicity); FAIL a property is violated.

Exit status: 0 the findings are exactly the expected ones; 1 they are not, or with --design, the design is not safe, or
with --replay, the schedule violates a property; 2 nothing could be explored; 130 after Ctrl-C.

Example:
  npx southbridge explore --scenario callback-comparator --locking nested-mutex`;

const LOCKING = '--locking <designs>';

export const explore = new Command('explore')
  .description('model-check the production code: explore every interleaving of small scenarios')
  .addOption(
    new Option(
      LOCKING,
      'presets or mmio/timer/irq/control, separated by commas; "all" presets, or "axes": all combinations (default: all, or the design of --design)',
    ),
  )
  .addOption(designOption())
  .addOption(
    new Option('--scenario <name>', 'scenarios, separated by commas, or "all"; or a JSON file with one of your own')
      .argParser((text: string) => scenarios(text))
      .default({ scenarios: SCENARIOS }, 'all'),
  )
  .option(
    '--preemptions <n>',
    'bound on preemptions of runnable threads, or "unbounded" (default: set by the scenario, unbounded for most)',
    bound,
  )
  .addOption(
    new Option('--mutex <how>', 'explore each futex operation of a mutex, or treat acquisition as one blocking step')
      .choices(['futex', 'blocking'])
      .default('blocking'),
  )
  .addOption(
    new Option(
      '--reduction <how>',
      'on: skip orders of independent transitions by sleep sets, where no bound applies; livelocks across steps are judged with off',
    )
      .choices(['off', 'on'])
      .default('off'),
  )
  .addOption(
    new Option(
      '--format <format>',
      'mail: 72 columns; mermaid or html: the worst counterexample alone, a diagram or a page to step through',
    )
      .choices(FORMATS)
      .default('text'),
  )
  .addOption(new Option('--json', 'print one JSON document: --format json').implies({ format: 'json' }))
  .option('--table', 'print one Markdown table: designs, their findings, and a replay string')
  .option(
    '--seeded-bug <name>',
    'explore with a known bug in the code, under the design that the bug belongs to; ignores --locking',
    seededBug,
  )
  .option('--replay <string>', 'replay one schedule from the string printed with a finding')
  .option(
    '--generated',
    'explore generated programs in place of scenarios: all pairs of operations on prepared machines',
  )
  .option(
    '--prepared <machines>',
    `with --generated: prepared machines (${PREPARED_NAMES.join(', ')})`,
    (text: string) => machines(text),
  )
  .option('--triples', 'with --generated: three operations in place of two')
  .option('--every <n>', 'with --generated: every nth program of a machine', whole(1, 100_000))
  .option('--jobs <n>', 'with --generated: threads (default: one per processor)', whole(1, 256))
  .option('--progress <file>', 'with --generated: keep finished parts in a file, and continue from it')
  .addHelpText('after', HELP)
  .action(run);

async function run(options: Options, command: Command): Promise<void> {
  const own = options.design === undefined ? undefined : await loadOwnDesign(options.design);
  if (options.replay !== undefined) {
    replayText(options.replay, options, command);
    return;
  }
  const locking = designsOf(options.locking, own, command);
  if (options.generated) {
    process.exitCode = (await exploreGenerated({ ...options, locking })) ? 0 : 1;
    return;
  }
  const begin = performance.now();
  const results: CampaignResult[] = [];
  const { mutex, preemptions, seededBug: bug, format } = options;
  const { scenarios: chosen } = options.scenario;
  const again = replayCommand(options);
  // The verdict on a design does not need the second pass. The expectations of presets do.
  const secondPass = !options.table || locking.some(({ name }) => Object.hasOwn(PRESETS, name));
  const how = { mutex, preemptions, secondPass, reduction: options.reduction === 'on' };
  const designs = bug ? [designNamed(bug.design ?? bug.locking) as NamedDesign] : locking;
  const tasks = chosen.flatMap((scenario) => designs.map((named) => ({ named, scenario, bug })));
  const line = () => `${progress.of(results.length, tasks.length)}: ${currentOf(results.length)}`;
  const progress: Progress = new Progress(line);
  const currentOf = (at: number) => `${bug?.name ?? tasks[at]?.named.name} × ${tasks[at]?.scenario.name}`;
  try {
    for await (const result of runAll(tasks, how)) {
      results.push(result);
      progress.clear();
      if (format === 'text' && !options.table) printText(result, again);
      if (format === 'mail' && !options.table) printMail(result, again);
      if (results.length < tasks.length) progress.show(line());
    }
  } finally {
    progress.end();
  }
  const elapsed = (performance.now() - begin) / 1000;
  if (format === 'json') printJson(results);
  else if (options.table) process.stdout.write(markdownTable(results));
  else if (format === 'mermaid' || format === 'html') printOne(results, format, again);
  else if (format === 'text') printTotal(results, elapsed);
  for (const { locking, scenario, unexpected } of results) {
    for (const problem of unexpected) process.stderr.write(`unexpected: ${locking} × ${scenario}: ${problem}\n`);
  }
  // A verdict on a preset takes all scenarios; one's own design has one for those that were chosen.
  const judged = designs.filter((named) => !bug && (named === own || chosen.length === SCENARIOS.length));
  const verdicts = judged.map((named) => ({ named, verdict: verdictOn(named, results) }));
  for (const { named, verdict } of format === 'text' && !options.table ? verdicts : []) {
    process.stdout.write(`${wrapped(`${named.name}: ${verdictText(verdict)}`)}\n`);
  }
  const isRefuted = verdicts.some(({ named, verdict }) => named === own && verdict.verdict !== 'safe');
  process.exitCode = !isRefuted && results.every((result) => result.unexpected.length === 0) ? 0 : 1;
}

const chosenDesigns = listOf(
  'design',
  allPresets().map(({ name }) => name),
  designNamed,
);

function designsOf(text: string | undefined, own: NamedDesign | undefined, command: Command): readonly NamedDesign[] {
  if (text === undefined) return own ? [own] : allPresets();
  return text === 'axes' ? allCombinations() : parseLate(command, LOCKING, text, chosenDesigns);
}

const machines = listOf('prepared machine', PREPARED_NAMES, (name) => PREPARED_NAMES.find((known) => known === name));

const knownScenarios = listOf(
  'scenario',
  SCENARIOS.map(({ name }) => name),
  findScenario,
);

function scenarios(text: string): Chosen {
  if (!text.endsWith('.json')) return { scenarios: knownScenarios(text) };
  const scenario = readScenario(text);
  addScenario(scenario);
  return { scenarios: [scenario], file: text };
}

/** The command that replays a finding, up to the replay string: with the files that its design and scenario are from. */
function replayCommand({ design, scenario: { file } }: Options): string {
  const files = Object.entries({ design, scenario: file }).flatMap(([option, path]) =>
    path === undefined ? [] : [` --${option} ${fromHere(path)}`],
  );
  return `${ownCommand()} explore${files.join('')} --replay`;
}

function seededBug(text: string): SeededBug {
  const bug = findSeededBug(text);
  if (bug) return bug;
  throw new InvalidArgumentError(
    `There is no seeded bug ${text}; there are: ${SEEDED_BUGS.map(({ name }) => name).join(', ')}.`,
  );
}

function replayText(text: string, options: Options, command: Command): void {
  const request = parseReplayString(text);
  if (!request)
    command.error('error: --replay takes a replay string, as printed with a finding: design:scenario:mutex:schedule');
  try {
    const replayed = replay(request);
    printReplay(text, request, replayed, options.format, replayCommand(options));
    if (replayed.findings.length === 0 && !replayed.isAtEnd) {
      command.error(
        'error: the schedule ends before the scenario does, and shows no finding: the string was shortened',
      );
    }
    process.exitCode = faults(replayed.findings).length > 0 ? 1 : 0;
  } catch (error) {
    if (!(error instanceof ReplayError)) throw error;
    command.error(`error: ${error.message}`);
  }
}

function bound(text: string): number {
  if (text === 'unbounded') return Number.POSITIVE_INFINITY;
  if (!/^\d{1,3}$/.test(text)) throw new InvalidArgumentError('Use a number up to 999, or "unbounded".');
  return Number(text);
}
