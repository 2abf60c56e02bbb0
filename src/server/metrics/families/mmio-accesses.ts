import { MMIO_READ, MMIO_WRITE } from '../../../core/sync/call-sites.js';
import { ACCESSES } from '../../../runtime/statistics/statistics-layout.js';
import { type Family, machineCounter } from '../family.js';

export const mmioAccesses: Family = machineCounter(
  { name: 'southbridge_mmio_accesses_total', help: 'Accesses to HPET and IOAPIC, of any size.' },
  { 'mmio-read': ACCESSES + MMIO_READ, 'mmio-write': ACCESSES + MMIO_WRITE },
  'site',
);
