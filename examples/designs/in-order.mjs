// Option 3 with sequence numbers that order decisions and discard none: a decision's number is its place in a queue that
// all threads share. The thread that decides appends to the queue under the mutex, so the queue has the order of the
// decisions. A thread applies its changes after it released the mutex, under the BQL, and with them everything that is
// older. Exploration confirms it:
//
//   npx southbridge explore --design examples/designs/in-order.mjs

/** @returns {object} a design: one new value of the irq axis, in the preset deferred-irq */
export default ({ BQL, ROUTER, bigLocked, recording, flush }) => {
  /** Applies everything that was decided and not applied yet; the BQL is held. */
  const applyAll = (target) =>
    target.lineQueue.drain(
      (line, source, level) => target.driveLine(line, source, level),
      (line, source) => target.pulseLine(line, source),
    );
  const requireRoom = (hasRoom) => {
    if (!hasRoom) throw new Error('the queue of line changes is full');
  };
  return {
    name: 'in-order',
    mmio: 'device',
    timer: 'bql+device',
    irq: {
      ...bigLocked,
      ...recording,
      name: 'in-order',
      numbered: false,
      takesMutexUnderBql: false,
      coalesces: false,
      enter(target, controller) {
        const entered = target.locks.guard(BQL);
        // A thread that enters the controllers for another reason finds them as they were decided to be. A thread that
        // has the BQL already may be in the middle of a change, which enters IOAPIC and 8259 pair but never the router.
        if (entered || controller === ROUTER) applyAll(target);
        return entered;
      },
      // The entry in the thread's own list makes `flush` run at the outermost end, and keeps the order with messages.
      driveLine(target, line, source, level) {
        requireRoom(target.lineQueue.push(line, source, level));
        target.deferred.addLevel(line, source, level, 0);
      },
      pulseLine(target, line, source) {
        requireRoom(target.lineQueue.pushPulse(line, source));
        target.deferred.addPulse(line, source);
      },
      end(target) {
        flush(target, { level: applyAll, pulse: applyAll });
      },
    },
    control: 'ordered',
  };
};
