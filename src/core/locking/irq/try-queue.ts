import { ROUTER } from '../../sync/lock-names.js';
import type { IrqAxis, IrqTarget } from '../axes.js';
import { leafLocked } from './leaf-locked.js';

/**
 * crosvm: try the router's own lock; if it is taken, queue the change for the holder.
 *
 *     HPET (anything held) ── try GSI router ── queue, change ── IOAPIC ── 8259 pair
 *                         └─ taken: queue
 *
 * The holder rechecks the queue after its unlock: a change that was queued between its last look and the unlock found the
 * lock taken, and no other thread would apply it. With a manual clock, a thread that queued a change waits
 * for the router before it answers. With a realtime clock it does not: an interrupt may then follow the reply to its cause.
 */
export const tryQueue: IrqAxis = {
  ...leafLocked,
  name: 'try-queue',
  appliesInPlace: false,
  leave(target, controller, entered) {
    target.locks.unguard(controller, entered);
    if (entered && controller === ROUTER) drainLeftovers(target);
  },
  settle(target) {
    if (!target.lineQueue.hasQueued) return;
    target.lineQueue.hasQueued = false;
    // The holder applies what it takes off the queue before it releases the router.
    target.locks.acquire(ROUTER);
    drain(target);
    target.locks.release(ROUTER);
    drainLeftovers(target);
  },
  driveLine(target, line, source, level) {
    if (!target.locks.tryAcquire(ROUTER)) {
      if (!target.lineQueue.push(line, source, level))
        waitAndDrive(target, () => target.driveLine(line, source, level));
    } else {
      drain(target);
      target.driveLine(line, source, level);
      target.locks.release(ROUTER);
    }
    drainLeftovers(target);
  },
  pulseLine(target, line, source) {
    if (!target.locks.tryAcquire(ROUTER)) {
      if (!target.lineQueue.pushPulse(line, source)) waitAndDrive(target, () => target.pulseLine(line, source));
    } else {
      drain(target);
      target.pulseLine(line, source);
      target.locks.release(ROUTER);
    }
    drainLeftovers(target);
  },
};

function drain(target: IrqTarget): void {
  target.lineQueue.drain(
    (line, source, level) => target.driveLine(line, source, level),
    (line, source) => target.pulseLine(line, source),
  );
}

function drainLeftovers(target: IrqTarget): void {
  while (!target.lineQueue.isEmpty && target.locks.tryAcquire(ROUTER)) {
    drain(target);
    target.locks.release(ROUTER);
  }
}

/** The queue is full: the one case in which the caller waits. */
function waitAndDrive(target: IrqTarget, drive: () => void): void {
  target.locks.acquire(ROUTER);
  drain(target);
  drive();
  target.locks.release(ROUTER);
}
