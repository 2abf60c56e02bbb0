import type { Plant } from './plant.js';

export const filterByFlag: Plant = {
  name: 'filter-by-flag',
  mistake: 'the Xen filter tells its own changes by a global flag, where no BQL keeps others out',
  locking: 'lockless-irq',
  scenario: 'xen-source-id',
  kind: 'meaning',
  options: { machine: { xen: { form: 'flag', gsi: 5 } } },
};
