import { device } from '../../../core/locking/timer/device.js';
import { type Plant, replaced } from './plant.js';

export const mutexKept: Plant = {
  name: 'mutex-kept',
  mistake: 'a callback leaves without giving the mutex back',
  locking: 'lockless-timer',
  scenario: 'callback-acknowledge',
  kind: 'deadlock',
  options: {
    plant: () => replaced(device, 'leave', () => () => {}),
  },
};
