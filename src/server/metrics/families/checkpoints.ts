import { type Family, kept } from '../family.js';

export const checkpoints: Family = kept(
  {
    name: 'southbridge_checkpoints_total',
    type: 'counter',
    help: 'Checkpoints of machines that were written to `stateDir`.',
  },
  ({ checkpoints }) => checkpoints,
);
