import type { Design } from '../../core/locking/axes.js';
import { takesBqlUnderMutex } from '../../core/locking/control/ordered.js';
import {
  CONTROL_AXIS,
  type DesignClass,
  IRQ_AXIS,
  MMIO_AXIS,
  PRESET_NAMES,
  PRESETS,
  type PresetName,
  TIMER_AXIS,
} from '../../core/locking/presets.js';
import type { FindingKind } from './finding.js';

/** A design by the name of a preset, or by its axes: `mmio/timer/irq/control`. */
export interface NamedDesign {
  readonly name: string;
  readonly design: Design;
}

/** Undefined if the name is neither a preset nor axis values. */
export function designNamed(name: string): NamedDesign | undefined {
  if (Object.hasOwn(PRESETS, name)) return { name, design: PRESETS[name as PresetName] };
  const parts = name.split('/');
  const mmio = MMIO_AXIS.find((axis) => axis.name === parts[0]);
  const timer = TIMER_AXIS.find((axis) => axis.name === parts[1]);
  const irq = IRQ_AXIS.find((axis) => axis.name === parts[2]);
  const control = CONTROL_AXIS.find((axis) => axis.name === (parts[3] ?? 'ordered'));
  if (!mmio || !timer || !irq || !control || parts.length > 4) return undefined;
  return {
    name: [mmio, timer, irq, control].map((axis) => axis.name).join('/'),
    design: { mmio, timer, irq, control },
  };
}

export function allPresets(): NamedDesign[] {
  return PRESET_NAMES.map((name) => ({ name, design: PRESETS[name] }));
}

/** All combinations of the four axes. */
export function allCombinations(): NamedDesign[] {
  const names = MMIO_AXIS.flatMap((mmio) =>
    TIMER_AXIS.flatMap((timer) =>
      IRQ_AXIS.flatMap((irq) =>
        CONTROL_AXIS.map((control) => [mmio, timer, irq, control].map(({ name }) => name).join('/')),
      ),
    ),
  );
  return names.map((name) => designNamed(name) as NamedDesign);
}

/** Whether two designs differ at most in how control work enters. */
export function differInControl(one: Design, other: Design): boolean {
  return one.mmio === other.mmio && one.timer === other.timer && one.irq === other.irq;
}

/** The worst property that a design violates. */
export type Verdict = 'safe' | 'stale' | 'race' | 'deadlock';

/** The verdict on a design with findings of these kinds. */
export function verdictOf(kinds: Iterable<FindingKind>): Verdict {
  const found = new Set(kinds);
  if (found.has('race')) return 'race';
  if (found.has('deadlock') || found.has('livelock') || found.has('assertion')) return 'deadlock';
  return found.has('linearizability') || found.has('stale') ? 'stale' : 'safe';
}

/** The class under which presets, machines and metrics show a verdict. */
export function classOf(verdict: Verdict): DesignClass {
  return verdict === 'safe' || verdict === 'stale' ? verdict : 'unsafe';
}

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
  if (control.name === 'none' && !mmio.underBql) return 'race';
  if (control.name === 'naive' && ordered && ordered !== 'race' && takesBqlUnderMutex(design)) return 'deadlock';
  return ordered;
}

/**
 * Why a design that was predicted to deadlock does not. Callbacks take the BQL under the mutex, and control work takes
 * the mutex under the BQL. Both run on the main loop, which cannot wait for itself. A deadlock needs a vCPU that holds
 * one of the two locks and wants the other.
 */
export function explanation({ mmio, timer, irq, control }: Design): string | undefined {
  const vcpuTakesBoth = irq.name === 'revalidated' || (!mmio.underBql && irq.name === 'inline');
  if (control.name !== 'naive' || timer.name !== 'reacquire' || vcpuTakesBoth) return undefined;
  return 'both lock orders occur, but only on the main loop, which cannot wait for itself; no vCPU takes both locks';
}
