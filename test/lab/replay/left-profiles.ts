import { basename } from 'node:path';
import { PIC_QUIRKS, PROFILES, QUIRKS, type Quirk } from '../../../src/core/devices/quirks.js';
import { InProcessTarget } from '../../../src/lab/replay/in-process.js';
import { replayAll } from '../../../src/lab/replay/runner.js';
import { GOLDEN, PIC, SILENT } from './vectors.js';

/*
 * Prints which recorded traces the profiles `standard` and `datasheet` do not replay, and the switches that each of them meets
 * and in which the profile differs from QEMU. It replays every trace with each switch on and off.
 */

const target = new InProcessTarget();

/** The switches that each trace meets, by its name. */
async function met(traces: typeof GOLDEN, quirks: readonly Quirk[]): Promise<Map<string, Quirk[]>> {
  const switches = new Map<string, Quirk[]>(traces.map(({ file }) => [basename(file, '.jsonl'), []]));
  for (const quirk of quirks) {
    const turned = { [quirk]: !has('qemu-11.1', quirk) };
    const report = await replayAll(traces, target, { locking: 'lockless-irq', quirks: turned }, SILENT);
    for (const { file, passed } of report.results) {
      if (!passed) switches.get(basename(file, '.jsonl'))?.push(quirk);
    }
  }
  return switches;
}

function has(profile: keyof typeof PROFILES, quirk: Quirk): boolean {
  return (PROFILES[profile] as readonly Quirk[]).includes(quirk);
}

for (const [traces, quirks] of [
  [GOLDEN, Object.keys(QUIRKS)],
  [PIC, Object.keys(PIC_QUIRKS)],
] as const) {
  const switches = await met(traces, quirks as Quirk[]);
  for (const profile of ['standard', 'datasheet'] as const) {
    let left = 0;
    for (const [name, all] of switches) {
      const differing = all.filter((quirk) => has(profile, quirk) !== has('qemu-11.1', quirk));
      if (differing.length === 0) continue;
      left++;
      process.stdout.write(`${profile}\t${name}\t${differing.join(', ')}\n`);
    }
    process.stdout.write(
      `${profile}: ${switches.size - left} of ${switches.size} traces are replayed, ${left} are not\n`,
    );
  }
}
await target.close();
