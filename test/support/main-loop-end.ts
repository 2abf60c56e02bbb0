import { MAIN_LOOP_THREAD } from '../../src/runtime/memory/shared-map.js';
import { Pool } from '../../src/runtime/supervisor/pool.js';

/** Loaded before a server, in its process: ends the server's main loop thread at SIGUSR2. */
const start = Pool.prototype.startMainLoop;

Pool.prototype.startMainLoop = function (this: Pool): Promise<void> {
  process.once('SIGUSR2', () => this.worker(MAIN_LOOP_THREAD)?.terminate());
  return start.call(this);
};
