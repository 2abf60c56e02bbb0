import { type Family, kept } from '../family.js';

export const checkpointFailures: Family = kept(
  {
    name: 'southbridge_checkpoint_failures_total',
    type: 'counter',
    help: 'Checkpoints, and changes of `stateDir`, that failed; the log says why.',
  },
  ({ failures }) => failures,
);
