import { type Family, kept } from '../family.js';

export const checkpointFailures: Family = kept(
  {
    name: 'southbridge_checkpoint_failures_total',
    type: 'counter',
    help: 'Checkpoints, and changes of `stateDir`, that failed; the log says why.',
  },
  ({ failures }) => failures,
);

export const failingCheckpoints: Family = kept(
  {
    name: 'southbridge_checkpoint_failing_machines',
    type: 'gauge',
    help: 'Machines whose last checkpoint could not be written; their description says why.',
  },
  ({ failing }) => failing,
);
