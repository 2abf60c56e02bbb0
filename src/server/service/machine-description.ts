import { quirksOf } from '../../core/devices/quirks.js';
import { isOwnSlot } from '../../runtime/statistics/statistics-slots.js';
import type { MachineHandle, MachineState } from './machine-handle.js';

/** A machine as JSON. */
export function describeMachine(machine: MachineHandle) {
  const { config, options, locking } = machine;
  return {
    name: machine.name,
    state: stateOf(machine),
    clock: config.clock,
    virtualTime: String(machine.virtualTime),
    sequence: String(machine.events.sequence),
    epoch: machine.events.origin.epoch,
    locking: {
      preset: locking.preset ?? null,
      class: locking.class ?? null,
      verdict: locking.verdict,
      mmio: locking.mmio,
      timer: locking.timer,
      irq: locking.irq,
      control: locking.control,
    },
    hpet: {
      timers: config.hpet.timers,
      msi: config.hpet.msi,
      routingCapability: config.hpet.routingCapability,
      profile: config.hpet.profile,
      quirks: quirksOf(options.quirks),
    },
    ioapic: { version: config.ioapic.version, id: config.ioapic.id },
    vcpus: machine.vcpus.map(({ vcpu, connected, logicalId, format, backlog }) => ({
      vcpu,
      connected,
      logicalId,
      format,
      pending: backlog.events,
      dropped: backlog.dropped,
    })),
    checkpointFailure: machine.checkpointFailure ?? null,
    stall: machine.stall ?? null,
    metrics: isOwnSlot(options.statistics?.slot ?? 0) ? 'own' : 'shared',
    warnings: warningsOf(machine),
  };
}

/** `hung` and `suspect` win over what the machine does otherwise. */
export function stateOf(machine: MachineHandle): MachineState | 'hung' | 'suspect' {
  if (machine.state === 'deleting') return machine.state;
  if (machine.isSuspect) return 'suspect';
  return machine.isHung ? 'hung' : machine.state;
}

interface Warning {
  readonly code: string;
  readonly message: string;
}

/** Warnings for the creator of such a machine. */
function warningsOf({ locking }: MachineHandle): Warning[] {
  const { preset } = locking;
  switch (locking.class) {
    case 'safe':
      return [];
    case 'unsafe':
      return [
        {
          code: 'unsafe-locking',
          message: `The design ${preset} is unsafe: threads can deadlock or race. Use it to study that, and lockless-timer for work.`,
        },
      ];
    case 'stale':
      return [
        {
          code: 'stale-locking',
          message: `The design ${preset} neither deadlocks nor races, but a line can be left at an old level. Use it to study that, and lockless-timer for work.`,
        },
      ];
    default:
      return [
        {
          code: 'unknown-locking',
          message: preset
            ? `Nothing is known yet about deadlocks or races of the design ${preset}.`
            : 'These four axes make no preset: nothing is known about deadlocks or races between them.',
        },
      ];
  }
}
