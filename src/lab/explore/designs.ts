import type { Design } from '../../core/locking/axes.js';
import {
  CONTROL_AXIS,
  IRQ_AXIS,
  MMIO_AXIS,
  PRESET_NAMES,
  PRESETS,
  type PresetName,
  TIMER_AXIS,
} from '../../core/locking/presets.js';

/** A design by the name of a preset, or by its axes: `mmio/timer/irq/control`. */
export interface NamedDesign {
  readonly name: string;
  readonly design: Design;
}

/** Undefined if there is no such design. */
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

/** Whether two designs differ in nothing but how control work enters. */
export function differInControl(one: Design, other: Design): boolean {
  return one.mmio === other.mmio && one.timer === other.timer && one.irq === other.irq;
}
