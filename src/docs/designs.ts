import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const CLI = fileURLToPath(new URL('../cli.js', import.meta.url));
const PAGE = fileURLToPath(new URL('../../../docs/designs.md', import.meta.url));

/** Scenarios that each show a different way in: two paths B, path C by itself and against B, and the main loop's sleep. */
const SCENARIOS = ['callback-acknowledge', 'callback-comparator', 'legacy-input', 'reset-write', 'arm-earlier'];

/** `docs/designs.md`: explores every combination of the axes, which takes a minute or two. */
export function designsPage(): string {
  const args = ['explore', '--locking', 'axes', '--scenario', SCENARIOS.join(), '--table'];
  const table = execFileSync(process.execPath, [CLI, ...args], { encoding: 'utf8', maxBuffer: 2 ** 24 });
  return `# All combinations of the axes

Made by \`npm run docs:designs\`, which is

    southbridge ${args.join(' ')}

*Expected* is what was thought before any exploration (\`–\`: nobody knew): of paths A and B with control \`ordered\`, a table;
of \`none\`, a race wherever vCPUs enter with the mutex alone; of \`naive\`, a deadlock wherever the rest of the design
takes the BQL under the mutex. *Is* is what exploration makes of the design in these scenarios, in bold and explained where the two
differ. Scenarios without control work were run once for the three values of control. The number behind a kind of finding
is in how many scenarios it was found; the way is a string for \`southbridge explore --replay\`. \`legacy-race\` is
\`device/bql/inline\`, \`nested-mutex\` is \`device/bql+device/inline\` with control \`naive\`.

${table}`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(PAGE, designsPage());
