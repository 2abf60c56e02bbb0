import type { ControlAxis, Design, IrqAxis, MmioAxis, TimerAxis } from './axes.js';
import { naive } from './control/naive.js';
import { none } from './control/none.js';
import { ordered } from './control/ordered.js';
import { deferred } from './irq/deferred.js';
import { inline } from './irq/inline.js';
import { lockless } from './irq/lockless.js';
import { revalidated } from './irq/revalidated.js';
import { tryQueue } from './irq/try-queue.js';
import { bql as mmioBql } from './mmio/bql.js';
import { device as mmioDevice } from './mmio/device.js';
import { bql as timerBql } from './timer/bql.js';
import { bqlThenDevice } from './timer/bql+device.js';
import { device as timerDevice } from './timer/device.js';
import { kick } from './timer/kick.js';
import { reacquire } from './timer/reacquire.js';

/** The values of each axis. Their order is part of the memory layout: a design is stored as four indices. */
export const MMIO_AXIS: readonly MmioAxis[] = [mmioBql, mmioDevice];
export const TIMER_AXIS: readonly TimerAxis[] = [timerBql, bqlThenDevice, timerDevice, reacquire, kick];
export const IRQ_AXIS: readonly IrqAxis[] = [inline, deferred, revalidated, lockless, tryQueue];
export const CONTROL_AXIS: readonly ControlAxis[] = [none, naive, ordered];

/**
 * The verdict of exploration on a design (`docs/designs.md`): *safe*; *stale*: no deadlock and no race, but a line can be
 * wrong; *unsafe*. *Unknown* is a combination of axes that is not a preset.
 */
export type DesignClass = 'safe' | 'stale' | 'unsafe' | 'unknown';

export interface Preset extends Design {
  readonly class: DesignClass;
}

/** Named designs. */
export const PRESETS = {
  /** QEMU before 10.2: everything contends on the big lock. */
  bql: { mmio: mmioBql, timer: timerBql, irq: inline, control: none, class: 'safe' },
  /** QEMU's C code since 10.2: callback, reset and legacy inputs race with the MMIO path. */
  'legacy-race': { mmio: mmioDevice, timer: timerBql, irq: inline, control: none, class: 'unsafe' },
  /** The Rust `Mutex` conversion: AB-BA between timer callback and MMIO write. */
  'nested-mutex': { mmio: mmioDevice, timer: bqlThenDevice, irq: inline, control: naive, class: 'unsafe' },
  /** Option 1: mutex → BQL everywhere. */
  'lockless-timer': { mmio: mmioDevice, timer: timerDevice, irq: inline, control: ordered, class: 'safe' },
  /** Option 2: BQL → mutex → leaf locks; no vCPU ever takes the big lock. */
  'lockless-irq': { mmio: mmioDevice, timer: bqlThenDevice, irq: lockless, control: ordered, class: 'safe' },
  /** Option 3: a line change may be applied after a newer one. */
  'deferred-irq': { mmio: mmioDevice, timer: bqlThenDevice, irq: deferred, control: ordered, class: 'stale' },
  /** Drop and reacquire inside the callback: a convoy. */
  'drop-reacquire': { mmio: mmioDevice, timer: reacquire, irq: inline, control: ordered, class: 'safe' },
  /** Options 1 and 2, and bhyve: big lock and mutex are never held together. */
  'lockless-timer+irq': { mmio: mmioDevice, timer: timerDevice, irq: lockless, control: ordered, class: 'safe' },
  /** Option 3, with the levels read again when they are applied. */
  'deferred-revalidated': { mmio: mmioDevice, timer: bqlThenDevice, irq: revalidated, control: ordered, class: 'safe' },
  /** Xen: the callback runs on a vCPU thread. */
  'kick-and-drain': { mmio: mmioDevice, timer: kick, irq: lockless, control: ordered, class: 'safe' },
  /** crosvm: a line change is queued where the router is busy. */
  'try-queue': { mmio: mmioDevice, timer: timerDevice, irq: tryQueue, control: ordered, class: 'safe' },
} as const satisfies { [name: string]: Preset };

export type PresetName = keyof typeof PRESETS;
export const PRESET_NAMES = Object.keys(PRESETS) as PresetName[];

/** Four indices in one word. */
export function packDesign(design: Design): number {
  return (
    MMIO_AXIS.indexOf(design.mmio) |
    (TIMER_AXIS.indexOf(design.timer) << 8) |
    (IRQ_AXIS.indexOf(design.irq) << 16) |
    (CONTROL_AXIS.indexOf(design.control) << 24)
  );
}

export function unpackDesign(packed: number): Design {
  return {
    mmio: MMIO_AXIS[packed & 0xff],
    timer: TIMER_AXIS[(packed >> 8) & 0xff],
    irq: IRQ_AXIS[(packed >> 16) & 0xff],
    control: CONTROL_AXIS[(packed >> 24) & 0xff],
  };
}
