import { LineDecisions } from '../../../core/locking/line-decisions.js';
import { type Plant, replaced } from './plant.js';

export const duplicateEdgeDropped: Plant = {
  name: 'duplicate-edge-dropped',
  mistake: 'a deferred edge takes the place of one that waits on the same line',
  locking: 'deferred-revalidated',
  scenario: 'two-edges',
  kind: 'meaning',
  options: {
    plant: () =>
      replaced(
        LineDecisions.prototype,
        'addPulse',
        (right) =>
          function (this: LineDecisions, line) {
            this.takePulses(line);
            right.call(this, line);
          },
      ),
  },
};
