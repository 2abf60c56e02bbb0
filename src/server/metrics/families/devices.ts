import { EVENT_APIC, EVENT_INTR, EVENT_MSI } from '../../../core/machine/events.js';
import { CALL_SITES, MMIO_READ, MMIO_WRITE } from '../../../core/sync/call-sites.js';
import * as L from '../../../runtime/memory/statistics-layout.js';
import { DESIGN, type Family, MACHINE, machineCounter, machineHistogram } from '../family.js';

/** MMIO accesses, timers and interrupts of the devices. */
export const DEVICES: readonly Family[] = [
  machineCounter(
    { name: 'southbridge_mmio_accesses_total', help: 'Accesses to HPET and IOAPIC, of any size.' },
    { 'mmio-read': L.ACCESSES + MMIO_READ, 'mmio-write': L.ACCESSES + MMIO_WRITE },
    'site',
  ),
  {
    name: 'southbridge_mmio_access_sampled_seconds',
    type: 'histogram',
    help: 'Time that accesses take on their thread, waits for locks included. Sampled: one access in 64, or every one on machines with exact statistics.',
    labels: [...DESIGN, 'site'],
    *samples({ figures }) {
      for (const { labels, totals } of figures.distributions) {
        for (const site of [MMIO_READ, MMIO_WRITE]) {
          const durations = totals.durations(L.histogramAt(L.ACCESS_TIME, site));
          yield { labels: { ...labels, site: CALL_SITES[site] }, durations };
        }
      }
    },
  },
  machineHistogram(
    {
      name: 'southbridge_timer_lateness_seconds',
      help: "Virtual time from a timer's deadline until its callback is inside the device.",
    },
    L.LATENESS,
  ),
  machineCounter(
    {
      name: 'southbridge_irqs_total',
      help: "Interrupt messages sent by the IOAPIC or by the HPET itself (MSI), and changes of the 8259 pair's output (INTR).",
    },
    { ioapic: L.INTERRUPTS + EVENT_APIC, msi: L.INTERRUPTS + EVENT_MSI, intr: L.INTERRUPTS + EVENT_INTR },
    'kind',
  ),
  machineCounter(
    {
      name: 'southbridge_irqs_coalesced_total',
      help: 'Times that a level-triggered input of the IOAPIC was driven high while remote IRR was set.',
    },
    L.COALESCED,
  ),
  machineHistogram(
    {
      name: 'southbridge_irq_delivery_seconds',
      help: 'Time from sending an interrupt to delivering it to the vCPU or its backlog, on machines with a realtime clock.',
    },
    L.DELIVERY,
  ),
  {
    name: 'southbridge_deferred_irqs_total',
    type: 'counter',
    help: 'Deferred calls of the HPET (line changes, pulses, messages, gate) that have been executed.',
    labels: MACHINE,
    *samples({ figures }) {
      for (const { labels, totals } of figures.machines) {
        yield { labels, value: totals.durations(L.DEFERRED_DELAY).count };
      }
    },
  },
  machineCounter(
    {
      name: 'southbridge_deferred_irqs_stale_total',
      help: 'Deferred line changes that were outdated when executed. late: a newer change had been decided; inverted: a newer change had been executed.',
    },
    { late: L.STALE_LATE, inverted: L.STALE_INVERTED },
    'reason',
  ),
  machineHistogram(
    {
      name: 'southbridge_deferred_irq_delay_seconds',
      help: 'Time from deferring a call of the HPET to executing it.',
    },
    L.DEFERRED_DELAY,
  ),
];
