import type { Plant } from './plant.js';

export const cancelledCallback: Plant = {
  name: 'cancelled-callback',
  mistake: 'a callback does not find out that it was cancelled meanwhile',
  locking: 'lockless-timer',
  scenario: 'fsb-switch',
  kind: 'meaning',
  options: { machine: { generationCheck: false } },
};
