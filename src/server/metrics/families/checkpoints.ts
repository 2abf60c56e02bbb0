import { type Family, kept } from '../family.js';

/** Checkpoints in `stateDir`. */
export const CHECKPOINTS: readonly Family[] = [
  kept(
    {
      name: 'southbridge_checkpoints_total',
      type: 'counter',
      help: 'Machine checkpoints written to `stateDir`.',
    },
    ({ checkpoints }) => checkpoints,
  ),
  kept(
    {
      name: 'southbridge_checkpoint_failures_total',
      type: 'counter',
      help: 'Failed checkpoints and failed changes of `stateDir`; the log gives the reason of each.',
    },
    ({ failures }) => failures,
  ),
  kept(
    {
      name: 'southbridge_checkpoints_set_aside_total',
      type: 'counter',
      help: 'Unreadable checkpoints set aside since the start; the log names them.',
    },
    ({ setAside }) => setAside.length,
  ),
  kept(
    {
      name: 'southbridge_checkpoint_failing_machines',
      type: 'gauge',
      help: 'Machines whose last checkpoint could not be written; the description of the machine gives the reason.',
    },
    ({ failing }) => failing,
  ),
  kept(
    {
      name: 'southbridge_checkpoint_bytes_total',
      type: 'counter',
      help: 'Bytes of checkpoints written.',
    },
    ({ bytes }) => bytes,
  ),
  kept(
    {
      name: 'southbridge_checkpoint_age_seconds',
      type: 'gauge',
      help: 'Age of the oldest last checkpoint among the machines that have changed since: the work that a crash would lose.',
    },
    ({ age }) => age / 1e3,
  ),
  kept(
    {
      name: 'southbridge_checkpoint_round_seconds',
      type: 'gauge',
      help: 'Duration of the last round of checkpoints.',
    },
    ({ duration }) => duration / 1e3,
  ),
];
