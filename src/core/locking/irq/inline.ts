import { IRQ_UPDATE } from '../../sync/call-sites.js';
import { BQL } from '../../sync/lock-names.js';
import type { IrqAxis, IrqTarget } from '../axes.js';
import type { DeferredLines } from '../deferred-list.js';
import { bigLocked, flush } from './big-locked.js';

/**
 * A BQL guard at the point of change, under whatever is held. The big lock protects all interrupt controllers.
 *
 *     HPET (mutex held, or not) ── BQL guard ── GSI router, IOAPIC, 8259 pair
 *
 * The victim of a deadlock finishes its register write first: its changes become deferred calls. Meanwhile others may
 * change the same lines: the newest decision counts, and the first thread applies it.
 */
export const inline: IrqAxis = {
  ...bigLocked,
  name: 'inline',
  numbered: false,
  takesBql: true,
  takesMutexUnderBql: false,
  appliesInPlace: true,
  coalesces: false,
  end(target) {
    flush(target, madeUpFor);
  },
  driveLine(target, line, source, level) {
    const entry = enterForChange(target);
    if (entry === REFUSED) {
      target.decisions.refuse(line, source, level);
      target.deferred.addLevel(line, source, level, 0);
    } else {
      // Newer than what a victim decided.
      target.decisions.takeRefused(line, source);
      target.driveLine(line, source, level);
    }
    leaveAfterChange(target, entry);
  },
  pulseLine(target, line, source) {
    const entry = enterForChange(target);
    if (entry === REFUSED) target.deferred.addPulse(line, source);
    else target.pulseLine(line, source);
    leaveAfterChange(target, entry);
  },
  sendMsi(target, timer, address, data) {
    const entry = enterForChange(target);
    if (entry === REFUSED) target.deferred.addMsi(timer, address, data);
    else target.sendMsi(timer, address, data);
    leaveAfterChange(target, entry);
  },
  setPitGate(target, level) {
    const entry = enterForChange(target);
    if (entry === REFUSED) target.deferred.addPitGate(level);
    else target.setPitGate(level);
    leaveAfterChange(target, entry);
  },
};

const madeUpFor: DeferredLines<IrqTarget> = {
  level(target, { line, source }) {
    const { decisions } = target;
    decisions.count();
    if (decisions.takeRefused(line, source)) target.driveLine(line, source, decisions.refusedLevel(line, source));
  },
  pulse(target, line, source) {
    target.decisions.count();
    target.pulseLine(line, source);
  },
};

const REFUSED = 0;
const HELD_BEFORE = 1;
const TAKEN = 2;

function enterForChange({ locks, deferred }: IrqTarget): number {
  // Once a change of this access is deferred, all later ones stay behind it.
  if (!deferred.isEmpty) return REFUSED;
  if (locks.holds(BQL)) return HELD_BEFORE;
  const site = locks.site;
  locks.site = IRQ_UPDATE;
  const taken = locks.acquireOrRefuse(BQL);
  locks.site = site;
  return taken ? TAKEN : REFUSED;
}

function leaveAfterChange({ locks }: IrqTarget, entry: number): void {
  if (entry === TAKEN) locks.release(BQL);
}
