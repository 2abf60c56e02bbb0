import { SOURCE_EXTERNAL } from '../devices/gsi/sources.js';
import { CONTROL, MAIN_LOOP } from '../sync/call-sites.js';
import { BQL, IOAPIC } from '../sync/lock-names.js';
import type { Chipset } from './chipset.js';
import { ALIVE } from './configuration.js';
import { ControlSlot } from './control-slot.js';
import { restoreState, savedWords, saveState } from './saved-state.js';
import { Steps } from './steps.js';
import { STORM_TIMER, TIMER_COUNT } from './timer-list.js';

/** Control work. */
export const CONTROL_RESET = 1;
export const CONTROL_PAUSE = 2;
export const CONTROL_RESUME = 3;
/** Argument: source (`SOURCE_PIT`, `SOURCE_RTC`) × 2 + level. */
export const CONTROL_LEGACY_INPUT = 4;
/** Ends the machine. */
export const CONTROL_REMOVE = 5;
/** Saves the machine to the transfer area; no other thread is in the machine. */
export const CONTROL_SAVE = 6;
/** Restores the machine from the transfer area. Argument: virtual time in ns. */
export const CONTROL_RESTORE = 7;
/** Ends all steps of a manual clock, those that begin later included: the machine is about to be removed. */
export const CONTROL_END_STEPS = 8;

/**
 * Path C: control work on the main loop, which comes with the BQL held. The control axis decides how it enters the HPET.
 */
export class ControlPath {
  readonly slot: ControlSlot;
  readonly steps: Steps;
  /** Whether the last `run` ended the machine. */
  hasEnded = false;
  /** Whether the last `run` left the work because the event ring has no room for this machine. */
  isDeferred = false;

  constructor(
    readonly chipset: Chipset,
    /** Runs a slice of the callbacks that wait for a vCPU thread; returns whether it left any. */
    readonly drainKicks: () => boolean,
  ) {
    this.slot = new ControlSlot(chipset.memory);
    this.steps = new Steps(chipset);
  }

  /** Executes the work that was requested; returns whether it did. `complete` answers it. */
  run(): boolean {
    this.hasEnded = false;
    this.isDeferred = false;
    if (!this.slot.isRequested) return false;
    const { chipset } = this;
    if (!chipset.host.events.admits(chipset.slot)) {
      this.isDeferred = true;
      return false;
    }
    const { held } = chipset.locks;
    try {
      this.#run();
    } catch (error) {
      chipset.breakOff(error, held);
    }
    return true;
  }

  #run(): void {
    const { chipset, slot, steps } = this;
    const { argument } = slot;
    chipset.beginPath(CONTROL, SOURCE_EXTERNAL);
    switch (slot.work) {
      case CONTROL_RESET:
        this.#reset();
        break;
      case CONTROL_PAUSE:
        chipset.clock.pause();
        steps.cancel(true);
        break;
      case CONTROL_RESUME:
        chipset.clock.resume();
        steps.allow();
        break;
      case CONTROL_END_STEPS:
        steps.cancel(true);
        break;
      case CONTROL_LEGACY_INPUT:
        this.#setLegacyInput(argument >> 1, argument & 1);
        break;
      case CONTROL_SAVE:
        this.#save();
        break;
      case CONTROL_RESTORE:
        steps.continueFrom(argument);
        this.#restore();
        break;
      case CONTROL_REMOVE:
        // A callback that a vCPU thread is about to run finds out that it was cancelled.
        this.#inHpet(() => this.#end());
        break;
    }
    chipset.locks.site = MAIN_LOOP;
  }

  /** Ends the machine: no timer fires any more, and the main loop no longer visits it. */
  #end(): void {
    const { timers, memory } = this.chipset;
    for (let timer = 0; timer <= STORM_TIMER; timer++) timers.cancel(timer);
    memory.store(ALIVE, 0);
    this.hasEnded = true;
  }

  #setLegacyInput(source: number, level: number): void {
    this.#inHpet(() => this.chipset.hpet.setLegacyInput(source, level));
  }

  #reset(): void {
    const { chipset } = this;
    this.steps.cancel();
    this.#inHpet(() => {
      // The controllers first: line changes of the HPET then find their pins masked.
      const entered = chipset.enter(IOAPIC);
      chipset.ioapic.reset();
      chipset.leave(IOAPIC, entered);
      chipset.pic.reset();
      chipset.hpet.reset();
    });
  }

  /** Enters the HPET as the control axis says. */
  #inHpet(work: () => void): void {
    const { chipset } = this;
    const { design, locks } = chipset;
    design.irq.begin(chipset);
    design.control.enter(locks, design);
    work();
    design.control.leave(locks, design);
    design.irq.end(chipset);
  }

  #save(): void {
    const { chipset } = this;
    const { locks, thread, clock } = chipset;
    // A callback that was left for a vCPU thread is on no list; in the designs with such, no lock nests with the BQL.
    locks.release(BQL);
    for (let slices = 0; slices < TIMER_COUNT && this.drainKicks(); slices++);
    locks.acquire(BQL);
    locks.site = CONTROL;
    const words = savedWords();
    this.#inDevices((transfer) => {
      chipset.hpet.settleUnobserved();
      saveState(chipset, words, transfer);
      thread.shared.setTime(transfer, clock.now());
    });
  }

  #restore(): void {
    const words = savedWords();
    this.#inDevices((transfer) => restoreState(this.chipset, words, transfer));
    this.#sendAccepted();
  }

  /** The snapshot may be of a machine with other vCPUs. */
  #sendAccepted(): void {
    const { chipset } = this;
    if (!chipset.ioapic.awaitsAcceptance) return;
    const entered = chipset.enter(IOAPIC);
    chipset.ioapic.sendAccepted();
    chipset.leave(IOAPIC, entered);
  }

  /** Enters all devices at once. */
  #inDevices(work: (transfer: number) => void): void {
    const { chipset } = this;
    const { transfer } = chipset.host;
    if (transfer !== undefined) this.#inHpet(() => chipset.withInterruptControllers(() => work(transfer)));
  }
}
