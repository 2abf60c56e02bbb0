import { revalidated } from '../../../core/locking/irq/revalidated.js';
import { type Plant, replaced } from './plant.js';

export const edgeDropped: Plant = {
  name: 'edge-dropped',
  mistake: 'edges are left out of the deferred list',
  locking: 'deferred-revalidated',
  scenario: 'callback-disable',
  kind: 'meaning',
  options: {
    plant: () => replaced(revalidated, 'pulseLine', () => () => {}),
  },
};
