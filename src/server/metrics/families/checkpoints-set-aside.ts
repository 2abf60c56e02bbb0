import { type Family, kept } from '../family.js';

export const checkpointsSetAside: Family = kept(
  {
    name: 'southbridge_checkpoints_set_aside_total',
    type: 'counter',
    help: 'Checkpoints that could not be read and were set aside, since the start; the log names them.',
  },
  ({ setAside }) => setAside.length,
);
