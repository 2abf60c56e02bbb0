import t from 'tap';
import { PRESET_NAMES, PRESETS } from '../../../src/core/locking/presets.js';
import { classOfPreset } from '../../../src/core/locking/verdicts.js';
import { Hammer } from '../../support/hammer.js';
import { tier } from '../../support/tier.js';

for (const name of PRESET_NAMES.filter((name) => classOfPreset(name) === 'safe')) {
  t.test(`${name}: four vCPU threads and the main loop`, async (t) => {
    const hammer = await Hammer.start(PRESETS[name], { duty: 300, hold: 200_000, burn: false });
    const { machine } = hammer;
    // Under the big lock alone nobody is ever inside together with another; elsewhere go on until that was seen.
    const serial = PRESETS[name].mmio.underBql;
    const enough = () => machine.counts().contended > 0 && (serial || machine.counts().overlapped > 0);
    await hammer.run(tier.stressRounds, enough);

    t.ok(machine.counts().contended > 0, 'threads waited for locks');
    if (serial) t.equal(machine.counts().overlapped, 0, 'never two threads inside the devices');
    else t.ok(machine.counts().overlapped > 0, 'two threads were inside the devices at once');
    await hammer.checkNothingLost(t);
    t.same(machine.deadlocks(), [], 'no deadlock');
    t.same(machine.inversions(), [], 'no lock order inversion');
    t.match(machine.deferred(), { late: 0, inverted: 0 }, 'no stale update');
    await machine.close();
  });
}
