// Combining: a thread queues the changes of its lines under the mutex, in the order of the decisions. After it released the
// mutex, it takes the BQL and applies all that is queued, unless another thread has applied its changes meanwhile. Written
// from docs/adding-a-design.md alone. Exploration confirms it:
//
//   npx southbridge explore --design examples/designs/combining.mjs

/** @returns {object} a design: one new value of the irq axis, in the preset deferred-irq */
export default ({ BQL, ROUTER, bigLocked, recording, words }) => {
  /** Changes that were decided and that are applied; the newest level of the PIT's gate plus 1. */
  const DECIDED = words('combining-decided', 1, 'sync');
  const APPLIED = words('combining-applied', 1, 'sync');
  const GATE = words('combining-gate', 1, 'sync');
  /** Whether the machine has ever sent a message: only the thread that decides one can send it, under the BQL. */
  const MESSAGES = words('combining-messages', 1, 'sync');

  /** Applies everything that was decided so far; the BQL is held. */
  const combine = (target) => {
    const { memory } = target.decisions;
    const decided = memory.load(DECIDED);
    if (memory.load(APPLIED) === decided) return;
    target.lineQueue.drain(
      (line, source, level) => target.driveLine(line, source, level),
      (line, source) => target.pulseLine(line, source),
    );
    const gate = memory.exchange(GATE, 0);
    if (gate !== 0) target.setPitGate(gate - 1);
    memory.store(APPLIED, decided);
  };
  /** Counts a change. The entry in the thread's own list makes `deferred.end` true at the outermost end. */
  const decide = (target, hasRoom) => {
    if (!hasRoom) throw new Error('the queue of line changes is full');
    target.decisions.memory.add(DECIDED, 1);
    target.deferred.addLevel(0, 0, 0, 0);
  };
  return {
    name: 'combining',
    mmio: 'device',
    timer: 'bql+device',
    irq: {
      ...bigLocked,
      ...recording,
      name: 'combining',
      numbered: false,
      takesMutexUnderBql: false,
      coalesces: false,
      enter(target, controller) {
        const entered = target.locks.guard(BQL);
        // A path that enters the controllers for another reason finds them as they were decided to be.
        if (entered || controller === ROUTER) combine(target);
        return entered;
      },
      driveLine: (target, line, source, level) => decide(target, target.lineQueue.push(line, source, level)),
      pulseLine: (target, line, source) => decide(target, target.lineQueue.pushPulse(line, source)),
      setPitGate(target, level) {
        target.decisions.memory.store(GATE, level + 1);
        decide(target, true);
      },
      sendMsi(target, timer, address, data) {
        target.decisions.memory.store(MESSAGES, 1);
        target.deferred.addMsi(timer, address, data);
      },
      end(target) {
        const { locks, deferred, decisions } = target;
        if (!deferred.end()) return;
        const { memory } = decisions;
        const isApplied = memory.load(APPLIED) === memory.load(DECIDED) && memory.load(MESSAGES) === 0;
        const taken = !isApplied && locks.guard(BQL);
        if (!isApplied) combine(target);
        deferred.apply(target, { level() {}, pulse() {} });
        locks.unguard(BQL, taken);
      },
    },
    control: 'ordered',
  };
};
