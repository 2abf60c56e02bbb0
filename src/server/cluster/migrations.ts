import { SouthbridgeError } from '../../errors.js';
import { ObservedDurations } from '../metrics/durations.js';
import type { Migration, MigrationResult } from '../service/cluster-port.js';

/** Migrations that have ended and are shown. */
const SHOWN = 32;

/** The migrations that this node began: those in flight, and the last ones that ended. */
export class Migrations {
  readonly running = new Set<Migration>();
  /** The last one first. */
  readonly last: Migration[] = [];
  readonly counts: { [Result in MigrationResult]: number } = { moved: 0, refused: 0, failed: 0 };
  /** From the moment at which a machine takes no more requests until it runs on the other node. */
  readonly pauses = new ObservedDurations();

  constructor(readonly node: string) {}

  /** Moves a machine by `work`. Throws as that does. */
  async run(machine: string, to: string, work: () => Promise<void>): Promise<void> {
    const begun = { machine, from: this.node, to, startedAt: new Date().toISOString() };
    const running: Migration = { ...begun, result: 'running' };
    this.running.add(running);
    const since = performance.now();
    let ended: Pick<Migration, 'result' | 'error'> & { readonly result: MigrationResult } = { result: 'moved' };
    try {
      await work();
    } catch (error) {
      const code = error instanceof SouthbridgeError ? error.code : 'internal';
      ended = { result: code === 'migration-refused' ? 'refused' : 'failed', error: code };
      throw error;
    } finally {
      const pause = performance.now() - since;
      this.running.delete(running);
      this.counts[ended.result]++;
      if (ended.result === 'moved') this.pauses.observe(pause * 1e6);
      this.last.unshift({ ...begun, ...ended, pauseMs: Math.round(pause * 10) / 10 });
      this.last.length = Math.min(this.last.length, SHOWN);
    }
  }
}
