import {
  type ControlAxis,
  type Design,
  type IrqAxis,
  type MmioAxis,
  type TimerAxis,
  takesBqlUnderMutex,
} from './axes.js';
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
import { classOfPreset, type DesignClass, storedVerdict, type Verdict, verdictText } from './verdicts.js';

/** The values of each axis. Their order is part of the memory layout: a design is stored as four indices. */
const mmioValues: MmioAxis[] = [mmioBql, mmioDevice];
const timerValues: TimerAxis[] = [timerBql, bqlThenDevice, timerDevice, reacquire, kick];
const irqValues: IrqAxis[] = [inline, deferred, revalidated, lockless, tryQueue];
const controlValues: ControlAxis[] = [none, naive, ordered];

export const MMIO_AXIS: readonly MmioAxis[] = mmioValues;
export const TIMER_AXIS: readonly TimerAxis[] = timerValues;
export const IRQ_AXIS: readonly IrqAxis[] = irqValues;
export const CONTROL_AXIS: readonly ControlAxis[] = controlValues;

/** Named designs. */
export const PRESETS = {
  /** QEMU before 10.2: everything contends on the big lock. */
  bql: { mmio: mmioBql, timer: timerBql, irq: inline, control: none },
  /** QEMU's C code since 10.2: callback, reset and legacy inputs race with the MMIO path. */
  'legacy-race': { mmio: mmioDevice, timer: timerBql, irq: inline, control: none },
  /** The Rust `Mutex` conversion: AB-BA between timer callback and MMIO write. */
  'nested-mutex': { mmio: mmioDevice, timer: bqlThenDevice, irq: inline, control: naive },
  /** Option 1: mutex → BQL everywhere. */
  'lockless-timer': { mmio: mmioDevice, timer: timerDevice, irq: inline, control: ordered },
  /** Option 2: BQL → mutex → leaf locks; no vCPU ever takes the big lock. */
  'lockless-irq': { mmio: mmioDevice, timer: bqlThenDevice, irq: lockless, control: ordered },
  /** Option 3: a line change may be applied after a newer one. */
  'deferred-irq': { mmio: mmioDevice, timer: bqlThenDevice, irq: deferred, control: ordered },
  /** Drop and reacquire inside the callback: a convoy. */
  'drop-reacquire': { mmio: mmioDevice, timer: reacquire, irq: inline, control: ordered },
  /** Options 1 and 2, and bhyve: big lock and mutex are never held together. */
  'lockless-timer+irq': { mmio: mmioDevice, timer: timerDevice, irq: lockless, control: ordered },
  /** Option 3, with the levels read again when they are applied. */
  'deferred-revalidated': { mmio: mmioDevice, timer: bqlThenDevice, irq: revalidated, control: ordered },
  /** Xen: the callback runs on a vCPU thread. */
  'kick-and-drain': { mmio: mmioDevice, timer: kick, irq: lockless, control: ordered },
  /** crosvm: a line change is queued where the router is busy. */
  'try-queue': { mmio: mmioDevice, timer: timerDevice, irq: tryQueue, control: ordered },
} as const satisfies { [name: string]: Design };

export type PresetName = keyof typeof PRESETS;
export const PRESET_NAMES = Object.keys(PRESETS) as PresetName[];

export const AXES = { mmio: MMIO_AXIS, timer: TIMER_AXIS, irq: IRQ_AXIS, control: CONTROL_AXIS };

// Designs from modules

const ownDesigns: NamedDesign[] = [];

/** Adds a design that a module defines (`own-design.ts`), with its new axis values. Before any machine is made. */
export function addDesign(named: NamedDesign): void {
  const { mmio, timer, irq, control } = named.design;
  if (!mmioValues.includes(mmio)) mmioValues.push(mmio);
  if (!timerValues.includes(timer)) timerValues.push(timer);
  if (!irqValues.includes(irq)) irqValues.push(irq);
  if (!controlValues.includes(control)) controlValues.push(control);
  ownDesigns.push(named);
}

// Names

/** The four axis values of a design, by name. */
export interface DesignNames {
  readonly mmio: string;
  readonly timer: string;
  readonly irq: string;
  readonly control: string;
}

/** A design by the name of a preset, or by its axes: `mmio/timer/irq/control`. */
export interface NamedDesign {
  readonly name: string;
  readonly design: Design;
}

/** A design with the preset's name, and its class and verdict as far as they are known. */
export interface DesignDescription extends DesignNames {
  /** The name of the preset, else of the axis values. */
  readonly name: string;
  readonly preset: PresetName | undefined;
  readonly class: DesignClass | undefined;
  /** The stored verdict of exploration with its scope, or `not explored`. */
  readonly verdict: string;
}

/** The design of a preset, or of four axis values. Throws a RangeError for a value that an axis does not have. */
export function designOf(names: PresetName | DesignNames): Design {
  const design = findDesign(names);
  if (design) return design;
  throw new RangeError(`no such axis value: ${JSON.stringify(names)}`);
}

function findDesign(names: PresetName | DesignNames): Design | undefined {
  if (typeof names === 'string') {
    return Object.hasOwn(PRESETS, names) ? PRESETS[names] : ownDesigns.find(({ name }) => name === names)?.design;
  }
  const find = <T extends { readonly name: string }>(values: readonly T[], name: string): T | undefined =>
    values.find((value) => value.name === name);
  const mmio = find(AXES.mmio, names.mmio);
  const timer = find(AXES.timer, names.timer);
  const irq = find(AXES.irq, names.irq);
  const control = find(AXES.control, names.control);
  return mmio && timer && irq && control && { mmio, timer, irq, control };
}

/** Undefined if the name is neither a preset nor axis values, of which the last may be left out: it is `ordered` then. */
export function designNamed(name: string): NamedDesign | undefined {
  const whole = findDesign(name as PresetName);
  if (whole) return { name, design: whole };
  const [mmio, timer, irq, control = ordered.name, ...others] = name.split('/');
  const design = others.length === 0 ? findDesign({ mmio, timer, irq, control }) : undefined;
  return design && { name: axesOf(design), design };
}

/** The names of a design's axis values: `mmio/timer/irq/control`. */
export function axesOf({ mmio, timer, irq, control }: Design): string {
  return [mmio, timer, irq, control].map(({ name }) => name).join('/');
}

/** The preset that a design is, if any. */
export function presetOf(design: Design): PresetName | undefined {
  return PRESET_NAMES.find((name) => axesOf(PRESETS[name]) === axesOf(design));
}

/** Names a design's axis values, and the preset, its class and its verdict if the four make one. */
export function describeDesign(design: Design): DesignDescription {
  const { mmio, timer, irq, control } = design;
  const preset = presetOf(design);
  return {
    name: preset ?? ownDesigns.find((own) => axesOf(own.design) === axesOf(design))?.name ?? axesOf(design),
    mmio: mmio.name,
    timer: timer.name,
    irq: irq.name,
    control: control.name,
    preset,
    class: preset && classOfPreset(preset),
    verdict: verdictText(preset && storedVerdict(preset)),
  };
}

export function allPresets(): NamedDesign[] {
  return PRESET_NAMES.map((name) => ({ name, design: PRESETS[name] }));
}

/** All combinations of the four axes. */
export function allCombinations(): NamedDesign[] {
  const designs = MMIO_AXIS.flatMap((mmio) =>
    TIMER_AXIS.flatMap((timer) =>
      IRQ_AXIS.flatMap((irq) => CONTROL_AXIS.map((control) => ({ mmio, timer, irq, control }))),
    ),
  );
  return designs.map((design) => ({ name: axesOf(design), design }));
}

/** Whether two designs differ at most in how control work enters. */
export function differInControl(one: Design, other: Design): boolean {
  return one.mmio === other.mmio && one.timer === other.timer && one.irq === other.irq;
}

// Memory

/** Four indices in one word. */
export function packDesign(design: Design): number {
  return (
    indexIn(MMIO_AXIS, design.mmio) |
    (indexIn(TIMER_AXIS, design.timer) << 8) |
    (indexIn(IRQ_AXIS, design.irq) << 16) |
    (indexIn(CONTROL_AXIS, design.control) << 24)
  );
}

function indexIn<T extends { readonly name: string }>(axis: readonly T[], value: T): number {
  const index = axis.indexOf(value);
  if (index < 0) throw new RangeError(`${value.name} is not a value of its axis`);
  return index;
}

export function unpackDesign(packed: number): Design {
  return {
    mmio: MMIO_AXIS[packed & 0xff],
    timer: TIMER_AXIS[(packed >> 8) & 0xff],
    irq: IRQ_AXIS[(packed >> 16) & 0xff],
    control: CONTROL_AXIS[(packed >> 24) & 0xff],
  };
}

// Verdicts

type Row = { readonly [irq: string]: Verdict };

const SAFE: Row = { inline: 'safe', deferred: 'safe', revalidated: 'safe', lockless: 'safe' };
const RACE: Row = { inline: 'race', deferred: 'race', revalidated: 'race', lockless: 'race' };

/** Predictions for paths A and B with control `ordered`, made before any exploration: mmio/timer × irq. */
const PREDICTED: { readonly [entry: string]: Row } = {
  'bql/bql': SAFE,
  'bql/bql+device': SAFE,
  'bql/device': RACE,
  'bql/reacquire': { ...SAFE, revalidated: 'deadlock' },
  'device/bql': RACE,
  'device/bql+device': { ...SAFE, inline: 'deadlock', deferred: 'stale' },
  'device/device': { ...SAFE, deferred: 'stale' },
  'device/reacquire': { ...SAFE, deferred: 'stale', revalidated: 'deadlock' },
};

/**
 * The verdict predicted before any exploration; undefined without a prediction (the designs of Xen and crosvm). The
 * table assumes control `ordered`. Control `none` was predicted to race wherever vCPUs enter with the mutex alone.
 * Control `naive` takes the BQL and then the mutex, so it was predicted to deadlock wherever the rest of the design
 * takes them in the opposite order.
 */
export function predictedVerdict(design: Design): Verdict | undefined {
  const { mmio, timer, irq, control } = design;
  const ordered = PREDICTED[`${mmio.name}/${timer.name}`]?.[irq.name];
  if (!control.takesMutex && !mmio.underBql) return 'race';
  const isNaive = control.takesMutex && !control.followsOrder;
  if (isNaive && ordered && ordered !== 'race' && takesBqlUnderMutex(design)) return 'deadlock';
  return ordered;
}

/**
 * Why a design that was predicted to deadlock does not. Callbacks take the BQL under the mutex, and control work takes
 * the mutex under the BQL. Both run on the main loop, which cannot wait for itself. A deadlock needs a vCPU that holds
 * one of the two locks and wants the other.
 */
export function explanation({ mmio, timer, irq, control }: Design): string | undefined {
  const vcpuTakesBoth = irq.takesMutexUnderBql || (!mmio.underBql && irq.takesBql);
  const isNaive = control.takesMutex && !control.followsOrder;
  if (!isNaive || !timer.takesBqlUnderMutex || vcpuTakesBoth) return undefined;
  return 'both lock orders occur, but only on the main loop, which cannot wait for itself; no vCPU takes both locks';
}
