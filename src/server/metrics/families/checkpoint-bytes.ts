import { type Family, kept } from '../family.js';

export const checkpointBytes: Family = kept(
  {
    name: 'southbridge_checkpoint_bytes_total',
    type: 'counter',
    help: 'Bytes of checkpoints that were written.',
  },
  ({ bytes }) => bytes,
);
