import t from 'tap';
import { IRQ_AXIS, PRESETS } from '../../../src/core/locking/presets.js';
import { CAUSE_ENTRY_WRITE } from '../../../src/core/machine/events.js';
import { MMIO_WRITE } from '../../../src/core/sync/call-sites.js';
import { BenchMachine } from '../../support/bench-machine.js';

for (const irq of IRQ_AXIS.filter(({ lockless }) => !lockless)) {
  t.test(`${irq.name}: applying deferred changes leaves the call site and the locks of the path`, async (t) => {
    const bench = new BenchMachine({ locking: { ...PRESETS['lockless-timer'], irq } });
    const { chipset } = bench.machine;
    chipset.beginPath(MMIO_WRITE, CAUSE_ENTRY_WRITE);
    irq.begin(chipset);
    chipset.deferred.addMsi(0, 0xfee0_0000, 0x40);
    irq.end(chipset);
    t.match(bench.takeEvents(), [{ kind: 'msi', address: 0xfee0_0000, data: 0x40 }]);
    t.equal(chipset.locks.site, MMIO_WRITE);
    t.equal(chipset.locks.held, 0);
  });
}
