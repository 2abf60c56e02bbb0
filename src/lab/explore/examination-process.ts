import { constants, setPriority } from 'node:os';
import { designNamed } from '../../core/locking/presets.js';
import { examine } from './examination.js';

/**
 * A process that the server starts for one exploration, with its names as arguments: a design and a scenario of this
 * source. It sends the result to its parent, and ends with it.
 */
setPriority(constants.priority.PRIORITY_LOW);
process.on('disconnect', () => process.exit(1));
const [design, scenario] = process.argv.slice(2);
const named = designNamed(design);
if (!named) throw new Error(`there is no design ${design}`);
process.send?.(examine(named, scenario), () => process.exit(0));
