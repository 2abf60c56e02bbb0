import { device } from '../../../core/locking/timer/device.js';
import { type Plant, replaced } from './plant.js';

export const callbackWithoutMutex: Plant = {
  name: 'callback-without-mutex',
  mistake: 'a callback enters the HPET without the mutex',
  locking: 'lockless-timer',
  scenario: 'callback-comparator',
  kind: 'race',
  options: {
    plant() {
      const enter = replaced(device, 'enter', () => () => {});
      const leave = replaced(device, 'leave', () => () => {});
      return () => {
        enter();
        leave();
      };
    },
  },
};
