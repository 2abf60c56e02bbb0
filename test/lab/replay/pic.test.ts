import t from 'tap';
import { PIC_QUIRKS, type Quirk } from '../../../src/core/devices/quirks.js';
import { PRESET_NAMES } from '../../../src/core/locking/presets.js';
import { classOfPreset } from '../../../src/core/locking/verdicts.js';
import { InProcessTarget } from '../../../src/lab/replay/in-process.js';
import { replayAll } from '../../../src/lab/replay/runner.js';
import { PIC, SILENT } from './vectors.js';

const target = new InProcessTarget();
t.teardown(() => target.close());

t.equal(PIC.length, 99);

for (const locking of PRESET_NAMES.filter((name) => classOfPreset(name) === 'safe')) {
  t.test(`all 8259 traces with qemu-11.1 under ${locking}`, async (t) => {
    const report = await replayAll(PIC, target, { locking }, SILENT);
    t.same(
      report.results.filter((result) => !result.passed),
      [],
    );
    t.equal(report.passed, PIC.length);
  });
}

for (const quirk of Object.keys(PIC_QUIRKS) as Quirk[]) {
  t.test(`without ${quirk} a trace differs`, async (t) => {
    const report = await replayAll(PIC, target, { locking: 'bql', quirks: { [quirk]: false } }, SILENT);
    t.ok(report.failed > 0, `${report.failed} traces differ`);
    t.notOk(
      report.results.some(({ error }) => error),
      'and each was replayed',
    );
  });
}

t.test('the documents alone do not describe QEMU', async (t) => {
  const report = await replayAll(PIC, target, { locking: 'bql', profile: 'datasheet' }, SILENT);
  t.equal(report.passed, 35);
});
