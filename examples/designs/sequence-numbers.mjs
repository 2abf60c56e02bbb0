// Option 3 with sequence numbers: each decision about a line gets the next number of its source, and a thread that
// applies its deferred changes discards every decision that is no longer the newest of its source. No old decision
// overwrites a newer one, so it looks right. Exploration refutes it without a second thread:
//
//   npx southbridge explore --design examples/designs/sequence-numbers.mjs --scenario examples/designs/moved-line.json
//
// One access moves a level that is held from GSI 4 to GSI 5. It decides "4 low" and then "5 high", both for the same
// source. The first is older and is discarded, so GSI 4 stays high.

/** @returns {object} a design: one new value of the irq axis, in the preset deferred-irq */
export default ({ bigLocked, recording, flush }) => {
  const newestOnly = {
    level(target, { line, source, level, change }) {
      target.decisions.count();
      const isNewest = target.decisions.newest(source) >> 1 === change;
      if (isNewest) target.driveLine(line, source, level);
    },
    pulse(target, line, source) {
      target.decisions.count();
      target.pulseLine(line, source);
    },
  };
  return {
    name: 'sequence-numbers',
    mmio: 'device',
    timer: 'bql+device',
    irq: {
      // The BQL protects the interrupt controllers; messages and the PIT gate join the list of deferred changes.
      ...bigLocked,
      ...recording,
      name: 'newest-only',
      takesMutexUnderBql: false,
      coalesces: true,
      driveLine(target, line, source, level) {
        target.deferred.addLevel(line, source, level, target.decisions.decide(source, level));
      },
      pulseLine(target, line, source) {
        target.deferred.addPulse(line, source);
      },
      end(target) {
        flush(target, newestOnly);
      },
    },
    control: 'ordered',
  };
};
