import { type Family, kept } from '../family.js';

export const checkpointRound: Family = kept(
  {
    name: 'southbridge_checkpoint_round_seconds',
    type: 'gauge',
    help: 'How long the last round of checkpoints took.',
  },
  ({ duration }) => duration / 1e3,
);
