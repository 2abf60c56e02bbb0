import { type Family, kept } from '../family.js';

export const checkpointAge: Family = kept(
  {
    name: 'southbridge_checkpoint_age_seconds',
    type: 'gauge',
    help: 'Age of the oldest last checkpoint, among the machines that changed since theirs: what a crash would lose.',
  },
  ({ age }) => age / 1e3,
);
