import type { Logger } from 'pino';
import type { MachineConfig } from '../../config/machine.js';
import type { Configuration } from '../../config/schema.js';
import { SouthbridgeError } from '../../errors.js';
import type { Keeper, KeeperFigures, KeptMachines } from '../service/keeper.js';
import type { MachineHandle } from '../service/machine-handle.js';
import { restore, save } from '../service/saving.js';
import type { Snapshot } from '../service/snapshot.js';
import type { Checkpoint, Origin } from './checkpoint.js';
import { type SetAside, StateFolder } from './folder.js';
import { type Planned, plan } from './start-up.js';
import { Turns } from './turns.js';

/** Checkpoints under way at a time: the disk's waits overlap, and machines are stopped one after the other. */
const AT_A_TIME = 4;

/** Of the interval, between two rounds: where a disk is too slow for the interval, machines must get on as well. */
const LEAST_PAUSE = 0.1;

/**
 * Numbers of events that are passed over after a crash: so many were not told since the last checkpoint, and so no
 * number is used twice. A subscriber who comes back is told of a gap.
 */
const SEQUENCE_STRIDE = 2 ** 36;

/** What is known of a machine's last checkpoint. */
interface Kept {
  /** Milliseconds on the clock of `performance.now()`: the wall clock may jump. */
  readonly since: number;
  /** Whether the main counter ran: then the machine changes as time passes. */
  readonly counts: boolean;
}

/** Keeps the machines of a server in a folder: checkpoints of those that changed, at an interval and when one is made. */
export class Checkpoints implements Keeper {
  readonly #kept = new Map<string, Kept>();
  readonly #origins = new Map<string, Origin>();
  readonly #turns = new Turns();
  #machines: KeptMachines | undefined;
  #timer: NodeJS.Timeout | undefined;
  #round: Promise<void> | undefined;
  #closing = false;
  #checkpoints = 0;
  #failures = 0;
  #bytes = 0;
  #duration = 0;
  #failure: string | undefined;
  readonly #setAside: SetAside[] = [];

  private constructor(
    readonly folder: StateFolder,
    readonly configuration: Pick<Configuration, 'stateIntervalMs' | 'stateCounter'>,
    readonly logger: Logger,
  ) {}

  /** Throws `state-dir-in-use` or `state-dir-unusable`. */
  static async open(configuration: Configuration, logger: Logger): Promise<Checkpoints> {
    const { stateDir } = configuration;
    try {
      return new Checkpoints(await StateFolder.open(stateDir), configuration, logger);
    } catch (error) {
      if (error instanceof SouthbridgeError) throw error;
      throw new SouthbridgeError('state-dir-unusable', { folder: stateDir, reason: reasonOf(error) });
    }
  }

  get figures(): KeeperFigures {
    const changed = [...(this.#machines ?? [])].filter((machine) => this.#isChanged(machine));
    const now = performance.now();
    const ages = changed.map(({ name, madeAt }) => now - (this.#kept.get(name)?.since ?? madeAt));
    return {
      checkpoints: this.#checkpoints,
      failures: this.#failures,
      bytes: this.#bytes,
      age: Math.max(0, ...ages),
      duration: this.#duration,
      failure: this.#failure,
      setAside: this.#setAside,
    };
  }

  /** Notes checkpoints that were set aside; `isOther`, if there was another of the machine that can be read. */
  readonly #noteSetAside = (files: readonly SetAside[], isOther: boolean): void => {
    const use = isOther ? 'the one before it is used' : 'there is no other of this machine';
    for (const each of files) {
      const { file, aside, reason } = each;
      this.#setAside.push(each);
      this.logger.error({ machine: each.machine, file, aside }, `the checkpoint ${file} is damaged: ${reason}; ${use}`);
    }
  };

  async makeMachines(machines: KeptMachines, configured: readonly MachineConfig[]): Promise<void> {
    this.#machines = machines;
    const planned = await plan(this.folder, configured, this.logger, this.#noteSetAside);
    const inOrder = await this.folder.takeShutdown();
    for (const each of planned) await this.#make(machines, each, inOrder);
    const restored = planned.filter(({ checkpoint }) => checkpoint).length;
    const { path } = this.folder;
    this.logger.info({ folder: path, restored, inOrder }, `machines restored from ${path}: ${restored}`);
    await this.#begin();
  }

  async #make(machines: KeptMachines, { config, origin, checkpoint }: Planned, inOrder: boolean): Promise<void> {
    const machine = machines.create(config);
    this.#origins.set(config.name, origin);
    if (!checkpoint) return;
    const { snapshot } = checkpoint;
    if (checkpoint.paused) await machine.pause();
    await this.#restore(machine, snapshot);
    if (!inOrder) machine.sequence += SEQUENCE_STRIDE;
    machine.bqlLoad = checkpoint.bqlLoad;
    for (const [number, vcpu] of machine.vcpus.entries()) Object.assign(vcpu, checkpoint.vcpus[number]);
  }

  /** A wall clock that is centuries ahead is wrong, and no reason to lose the machine or to keep the others waiting. */
  async #restore(machine: MachineHandle, snapshot: Snapshot): Promise<void> {
    try {
      await restore(machine, snapshot, this.configuration.stateCounter);
    } catch (error) {
      if (!(error instanceof SouthbridgeError) || error.code !== 'jump-too-far') throw error;
      this.logger.error(
        { err: error, machine: machine.name },
        `${error.message} Its clock goes on from the checkpoint.`,
      );
      await restore(machine, snapshot, 'continue');
    }
  }

  made(machine: MachineHandle): Promise<void> {
    return this.#attempt(() => this.#checkpoint(machine), machine.name).then(() => {});
  }

  async deleted(name: string): Promise<void> {
    const tombstone = this.#origins.get(name) === 'configuration';
    this.#kept.delete(name);
    await this.#attempt(() => this.folder.remove(name, tombstone), name);
    this.#origins.delete(name);
  }

  async lastOf(name: string): Promise<Snapshot | undefined> {
    return this.#turns.take(name, async () => {
      const { checkpoint, damaged } = await this.folder.read(name);
      this.#noteSetAside(damaged, checkpoint !== undefined);
      return checkpoint?.snapshot;
    });
  }

  // Rounds

  /**
   * Keeps what changed, now and from then on. A checkpoint counts until the next one is whole, by the end of the next
   * round: for none to be older than the interval by then, that round begins early by twice the time of the last one.
   */
  async #begin(): Promise<void> {
    await this.#keepChanged();
    if (this.#closing) return;
    const { stateIntervalMs } = this.configuration;
    const pause = Math.max(stateIntervalMs - 2 * this.#duration, stateIntervalMs * LEAST_PAUSE);
    this.#timer = setTimeout(() => {
      this.#round = this.#begin();
    }, pause);
  }

  #isChanged(machine: MachineHandle): boolean {
    const kept = this.#kept.get(machine.name);
    if (!kept || machine.changed) return true;
    return kept.counts && machine.state === 'running' && machine.config.clock === 'realtime';
  }

  /** One round; returns the names of the machines that could not be kept. */
  async #keepChanged(): Promise<string[]> {
    const begin = performance.now();
    const failed: string[] = [];
    const changed = [...(this.#machines ?? [])].filter((machine) => machine.isOpen && this.#isChanged(machine));
    const worker = async () => {
      for (let machine = changed.pop(); machine; machine = changed.pop()) {
        const each = machine;
        // It may have been kept meanwhile.
        const keep = async () => this.#isChanged(each) && this.#checkpoint(each, false);
        if (!(await this.#attempt(keep, each.name))) failed.push(each.name);
      }
    };
    const count = changed.length;
    await Promise.all(Array.from({ length: AT_A_TIME }, worker));
    if (count > 0) await this.#attempt(() => this.folder.flush());
    this.#duration = performance.now() - begin;
    return failed;
  }

  /** Whether it worked. A failure is told, and the server goes on: what was kept before is still there. */
  async #attempt(work: () => Promise<unknown>, machine?: string): Promise<boolean> {
    try {
      await (machine === undefined ? work() : this.#turns.take(machine, work));
    } catch (error) {
      // A machine on its way out needs no checkpoint.
      if (error instanceof SouthbridgeError && error.code === 'machine-closing') return true;
      this.#failures++;
      const reason = reasonOf(error);
      if (this.#failure !== reason) {
        const { path } = this.folder;
        this.logger.error({ err: error, machine }, `machines cannot be kept in ${path}: ${reason}; the server goes on`);
      }
      this.#failure = reason;
      return false;
    }
    if (this.#failure !== undefined) this.logger.info('machines are kept again');
    this.#failure = undefined;
    return true;
  }

  async #checkpoint(machine: MachineHandle, flush = true): Promise<void> {
    const origin = this.#origins.get(machine.name) ?? 'api';
    const since = performance.now();
    try {
      const snapshot = await save(machine, true);
      const checkpoint: Checkpoint = {
        origin,
        config: machine.config,
        paused: machine.state === 'paused',
        bqlLoad: machine.bqlLoad,
        vcpus: machine.vcpus.map(({ logicalId, format }) => ({ logicalId, format })),
        snapshot,
      };
      const bytes = await this.folder.write(machine.name, checkpoint);
      if (flush) await this.folder.flush();
      this.#bytes += bytes;
      this.#checkpoints++;
      this.#kept.set(machine.name, { since, counts: isCounting(snapshot) });
    } catch (error) {
      machine.changed = true;
      throw error;
    }
  }

  /** Lets go of the folder, after a start that failed: what lies there stays as it is. */
  async abandon(): Promise<void> {
    this.#closing = true;
    clearTimeout(this.#timer);
    await this.#round;
    await this.folder.close();
  }

  /** Keeps all that changed a last time; rejects with `state-not-kept` if that cannot be done within `ms`. */
  async close(ms: number): Promise<void> {
    this.#closing = true;
    clearTimeout(this.#timer);
    let late: NodeJS.Timeout | undefined;
    const expired = new Promise<string[]>((resolve) => {
      late = setTimeout(() => resolve([...(this.#machines ?? [])].map(({ name }) => name)), ms);
    });
    const kept = (this.#round ?? Promise.resolve()).then(() => this.#keepChanged());
    const failed = await Promise.race([kept, expired]);
    clearTimeout(late);
    // Of a machine in which threads hang or died, more was told than is kept.
    const open = [...(this.#machines ?? [])].every((machine) => machine.isOpen);
    const mark = async () => open && this.folder.markShutdown();
    const whole = failed.length === 0 && (await this.#attempt(mark));
    await this.folder.close();
    if (whole) return;
    const reason = this.#failure ?? `they were not done within ${ms} ms`;
    throw new SouthbridgeError('state-not-kept', {
      folder: this.folder.path,
      machines: failed.join(', ') || 'none',
      reason,
    });
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Whether the main counter runs: ENABLE_CNF of the general configuration register. */
function isCounting({ state }: Snapshot): boolean {
  return (state['hpet.configuration'] & 1) !== 0;
}
