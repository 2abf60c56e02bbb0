import { LineDecisions } from '../../../core/locking/line-decisions.js';
import { type Plant, replaced } from './plant.js';

export const pulsesLeft: Plant = {
  name: 'pulses-left',
  mistake: 'who carries out the deferred list does not take the edges that were counted',
  locking: 'deferred-revalidated',
  scenario: 'callback-disable',
  kind: 'meaning',
  options: { plant: () => replaced(LineDecisions.prototype, 'takePulses', () => () => 0) },
};
