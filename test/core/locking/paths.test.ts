import t from 'tap';
import { PRESETS, type PresetName } from '../../../src/core/locking/presets.js';
import { type PathLocks, pathLocks } from '../../support/path-locks.js';

/**
 * Per preset and path: the locks that a vCPU thread takes, then, after `|`, those of the main loop. `device > bql` is
 * the big lock taken while the device mutex is held. The timer list's lock is left out.
 */
const EXPECTED: { readonly [preset in PresetName]: PathLocks } = {
  bql: {
    'register write that raises a line': 'bql | ',
    'register read': 'bql | ',
    'main counter read': 'bql | ',
    'redirection entry read': 'bql | ',
    EOI: 'bql | ',
    'external line': 'bql | ',
    'timer callback that pulses a line': ' | bql',
    'MSI from a register write': 'bql | ',
    'legacy input': ' | bql',
    reset: ' | bql',
    'line change while the router is busy': 'waits',
  },
  'legacy-race': {
    'register write that raises a line': 'device, device > bql | ',
    'register read': 'device | ',
    'main counter read': ' | ',
    'redirection entry read': 'bql | ',
    EOI: 'bql | ',
    'external line': 'bql | ',
    'timer callback that pulses a line': ' | bql',
    'MSI from a register write': 'device, device > bql | ',
    'legacy input': ' | bql',
    reset: ' | bql',
    'line change while the router is busy': 'waits',
  },
  'nested-mutex': {
    'register write that raises a line': 'device, device > bql | ',
    'register read': 'device | ',
    'main counter read': ' | ',
    'redirection entry read': 'bql | ',
    EOI: 'bql | ',
    'external line': 'bql | ',
    'timer callback that pulses a line': ' | bql, bql > device',
    'MSI from a register write': 'device, device > bql | ',
    'legacy input': ' | bql, bql > device',
    reset: ' | bql, bql > device',
    'line change while the router is busy': 'waits',
  },
  'lockless-timer': {
    'register write that raises a line': 'device, device > bql | ',
    'register read': 'device | ',
    'main counter read': ' | ',
    'redirection entry read': 'bql | ',
    EOI: 'bql | ',
    'external line': 'bql | ',
    'timer callback that pulses a line': ' | bql, device, device > bql, bql',
    'MSI from a register write': 'device, device > bql | ',
    'legacy input': ' | bql, device, device > bql, bql',
    reset: ' | bql, device, device > bql, device > bql, device > bql, bql',
    'line change while the router is busy': 'waits',
  },
  'lockless-irq': {
    'register write that raises a line': 'device, device > router, device > router > ioapic | ',
    'register read': 'device | ',
    'main counter read': ' | ',
    'redirection entry read': 'ioapic | ',
    EOI: 'ioapic | ',
    'external line': 'router, router > pic, router > ioapic | ',
    'timer callback that pulses a line':
      ' | bql, bql > device, bql > device > router, bql > device > router > ioapic, bql > device > router > ioapic',
    'MSI from a register write': 'device | ',
    'legacy input':
      ' | bql, bql > device, bql > device > router, bql > device > router > pic, bql > device > router > ioapic',
    reset:
      ' | bql, bql > device, bql > device > ioapic, bql > device > pic, bql > device > router, bql > device > router > ioapic',
    'line change while the router is busy': 'waits',
  },
  'deferred-irq': {
    'register write that raises a line': 'device, bql | ',
    'register read': 'device | ',
    'main counter read': ' | ',
    'redirection entry read': 'bql | ',
    EOI: 'bql | ',
    'external line': 'bql | ',
    'timer callback that pulses a line': ' | bql, bql > device',
    'MSI from a register write': 'device, bql | ',
    'legacy input': ' | bql, bql > device',
    reset: ' | bql, bql > device',
    'line change while the router is busy': 'waits',
  },
  'drop-reacquire': {
    'register write that raises a line': 'device, device > bql | ',
    'register read': 'device | ',
    'main counter read': ' | ',
    'redirection entry read': 'bql | ',
    EOI: 'bql | ',
    'external line': 'bql | ',
    'timer callback that pulses a line': ' | bql, device, device > bql',
    'MSI from a register write': 'device, device > bql | ',
    'legacy input': ' | bql, device, device > bql, bql',
    reset: ' | bql, device, device > bql, device > bql, device > bql, bql',
    'line change while the router is busy': 'waits',
  },
  'lockless-timer+irq': {
    'register write that raises a line': 'device, device > router, device > router > ioapic | ',
    'register read': 'device | ',
    'main counter read': ' | ',
    'redirection entry read': 'ioapic | ',
    EOI: 'ioapic | ',
    'external line': 'router, router > pic, router > ioapic | ',
    'timer callback that pulses a line':
      ' | bql, device, device > router, device > router > ioapic, device > router > ioapic, bql',
    'MSI from a register write': 'device | ',
    'legacy input': ' | bql, device, device > router, device > router > pic, device > router > ioapic, bql',
    reset: ' | bql, device, device > ioapic, device > pic, device > router, device > router > ioapic, bql',
    'line change while the router is busy': 'waits',
  },
  'deferred-revalidated': {
    'register write that raises a line': 'device, bql, bql > device | ',
    'register read': 'device | ',
    'main counter read': ' | ',
    'redirection entry read': 'bql | ',
    EOI: 'bql | ',
    'external line': 'bql | ',
    'timer callback that pulses a line': ' | bql, bql > device, bql > device',
    'MSI from a register write': 'device, bql, bql > device | ',
    'legacy input': ' | bql, bql > device, bql > device',
    reset: ' | bql, bql > device, bql > device',
    'line change while the router is busy': 'waits',
  },
  'kick-and-drain': {
    'register write that raises a line': 'device, device > router, device > router > ioapic | ',
    'register read': 'device | ',
    'main counter read': ' | ',
    'redirection entry read': 'ioapic | ',
    EOI: 'ioapic | ',
    'external line': 'router, router > pic, router > ioapic | ',
    'timer callback that pulses a line':
      'device, device > router, device > router > ioapic, device > router > ioapic | bql, bql',
    'MSI from a register write': 'device | ',
    'legacy input': ' | bql, device, device > router, device > router > pic, device > router > ioapic, bql',
    reset: ' | bql, device, device > ioapic, device > pic, device > router, device > router > ioapic, bql',
    'line change while the router is busy': 'waits',
  },
  'try-queue': {
    'register write that raises a line': 'device, device > router, device > router > ioapic | ',
    'register read': 'device | ',
    'main counter read': ' | ',
    'redirection entry read': 'ioapic | ',
    EOI: 'ioapic | ',
    'external line': 'router, router > pic, router > ioapic | ',
    'timer callback that pulses a line':
      ' | bql, device, device > router, device > router > ioapic, device > router > ioapic, bql',
    'MSI from a register write': 'device | ',
    'legacy input': ' | bql, device, device > router, device > router > pic, device > router > ioapic, bql',
    reset: ' | bql, device, device > ioapic, device > pic, device > router, device > router > ioapic, bql',
    'line change while the router is busy': 'queued (0 events), then drained by the holder (1)',
  },
};

for (const name of Object.keys(PRESETS) as PresetName[]) {
  t.test(name, async (t) => {
    const taken = pathLocks(PRESETS[name]);
    for (const [path, locks] of Object.entries(EXPECTED[name])) t.equal(taken[path as keyof PathLocks], locks, path);
  });
}
