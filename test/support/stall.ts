import { SharedMemory } from '../../src/core/memory/shared-memory.js';
import { BQL } from '../../src/core/sync/lock-names.js';
import { lockAddress } from '../../src/core/sync/locks.js';
import { machineAt } from '../../src/runtime/memory/shared-map.js';
import { Pool } from '../../src/runtime/supervisor/pool.js';
import { Supervisor } from '../../src/runtime/supervisor/supervisor.js';
import { ThreadHost } from '../../src/runtime/threads/host.js';

/** A thread that does not exist. */
const NO_THREAD = 60;

/**
 * Loaded before a server, in its process. SIGUSR2 gives the BQL of the machine in slot 0 to a thread that does not exist:
 * the main loop, which is kicked, stalls; with STALL_REMAINS no other thread takes its place. SIGUSR1 takes the gateway its turns, for STALL_GATEWAY_MS if that is set.
 */
const start = Pool.prototype.startMainLoop;

Pool.prototype.startMainLoop = function (this: Pool): Promise<void> {
  process.once('SIGUSR2', () => {
    const memory = new SharedMemory(this.buffer);
    memory.store(machineAt(this.map, 0) + lockAddress(BQL), NO_THREAD << 1);
    new ThreadHost(memory, this.map).kickMainLoop(0);
    process.stderr.write('the BQL is taken\n');
  });
  process.once('SIGUSR1', () => {
    const end = performance.now() + Number(process.env.STALL_GATEWAY_MS ?? Number.POSITIVE_INFINITY);
    while (performance.now() < end);
    process.stderr.write('the gateway has turns again\n');
  });
  if (process.env.STALL_REMAINS) Supervisor.prototype.endStalled = async () => false;
  return start.call(this);
};
