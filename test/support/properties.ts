import fc from 'fast-check';
import { seed } from './random.js';

// A property without a seed of its own would try other values in each run.
fc.configureGlobal({ seed: seed() });

export default fc;
