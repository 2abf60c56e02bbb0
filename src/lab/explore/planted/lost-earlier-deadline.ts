import { ThreadHost } from '../../../runtime/threads/host.js';
import { type Plant, replaced } from './plant.js';

export const lostEarlierDeadline: Plant = {
  name: 'lost-earlier-deadline',
  mistake: 'an earlier deadline does not wake the main loop',
  locking: 'lockless-timer',
  scenario: 'arm-earlier',
  kind: 'meaning',
  options: {
    plant: () =>
      replaced(
        ThreadHost.prototype,
        'kickMainLoop',
        () =>
          function (this: ThreadHost, slot) {
            this.shared.or(this.map.kicked + (slot >> 5), 1 << (slot & 31));
          },
      ),
  },
};
