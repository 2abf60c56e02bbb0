import { SubmissionRing } from '../../../runtime/rings/submission-ring.js';
import { type Plant, replaced } from './plant.js';

export const replyBeforeInterrupt: Plant = {
  name: 'reply-before-interrupt',
  mistake: 'a reply goes out when all but the last event of its request are handed over',
  locking: 'lockless-timer',
  scenario: 'reply-order',
  kind: 'meaning',
  options: {
    plant: () =>
      replaced(
        SubmissionRing.prototype,
        'events',
        (right) =>
          function (this: SubmissionRing, position) {
            return (right.call(this, position) - 1) | 0;
          },
      ),
  },
};
