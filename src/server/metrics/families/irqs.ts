import { EVENT_APIC, EVENT_INTR, EVENT_MSI } from '../../../core/machine/events.js';
import { INTERRUPTS } from '../../../runtime/statistics/statistics-layout.js';
import { type Family, machineCounter } from '../family.js';

export const irqs: Family = machineCounter(
  {
    name: 'southbridge_irqs_total',
    help: "Interrupt messages sent, by the IOAPIC or by the HPET itself (MSI), and changes of the 8259 pair's output (INTR).",
  },
  { ioapic: INTERRUPTS + EVENT_APIC, msi: INTERRUPTS + EVENT_MSI, intr: INTERRUPTS + EVENT_INTR },
  'kind',
);
