import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import t from 'tap';
import { southbridgeBeside } from '../../support/program.js';
import { NO_QEMU, QEMU_VERSION, REAL_QEMU } from '../../support/qemu.js';
import { ROOT } from '../../support/suite.js';
import { tier } from '../../support/tier.js';

/** Of a run in the long tier, which continues where it was interrupted. */
const COMMIT = execFileSync('git', ['rev-parse', '--short=12', 'HEAD'], { cwd: ROOT, encoding: 'utf8' }).trim();
const PROGRESS = join(ROOT, '.evidence', `conform-${COMMIT}.json`);
const DESIGNS = 'bql,lockless-timer,lockless-irq';

const isLong = tier.conformSeeds >= 1000;
const skip = REAL_QEMU === undefined ? NO_QEMU : tier.conformSeeds === 0 ? 'not in this tier' : false;

t.test(`seeds 1 to ${tier.conformSeeds} of all devices on a real QEMU: no difference`, { skip }, async (t) => {
  const { status, stdout, stderr } = await southbridgeBeside([
    ...['conform', '--qemu', String(REAL_QEMU), '--device', 'all', '--seeds', `1..${tier.conformSeeds}`],
    ...['--locking', DESIGNS, ...(isLong ? ['--progress', PROGRESS] : [])],
  ]);
  t.equal(status, 0, stderr);
  t.match(stdout, new RegExp(`^QEMU ${QEMU_VERSION}: no difference in \\d+ programs`));
  t.comment(stdout.trim());
});
