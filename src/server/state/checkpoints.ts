import type { Logger } from 'pino';
import type { MachineConfig } from '../../config/machine.js';
import type { Configuration } from '../../config/schema.js';
import { SouthbridgeError } from '../../errors.js';
import { SerialQueue, within } from '../../runtime/promises.js';
import type { CheckpointFigures, CheckpointStore, StoredMachines } from '../service/checkpoint-store.js';
import type { MachineHandle } from '../service/machine-handle.js';
import { restore, save, saveLast } from '../service/saving.js';
import type { Snapshot } from '../service/snapshot.js';
import { type Checkpoint, type LastCheckpoint, lastCheckpointOf, type Origin } from './checkpoint.js';
import { Failures, isOfGoneMachine, reasonOf, unlessUnusable } from './failures.js';
import { type FileLayer, StateFolder } from './folder.js';
import { makeAsIn } from './making.js';
import { type Sessions, sessionsOf } from './sessions.js';
import { type Planned, plan } from './start-up.js';
import type { CheckpointStorage, SetAside } from './storage.js';

/** Checkpoints in flight at a time: the disk's waits overlap, and machines are stopped one after the other. */
const AT_A_TIME = 4;

/** Of the interval, between two rounds: where a disk is too slow for the interval, machines must get on as well. */
const LEAST_PAUSE = 0.1;

/** Keeps the machines of a server in a storage: checkpoints of those that changed, at an interval and when one is made. */
export class Checkpoints implements CheckpointStore {
  readonly #last = new Map<string, LastCheckpoint>();
  readonly #origins = new Map<string, Origin>();
  readonly #perMachine = new SerialQueue<string>();
  #machines: StoredMachines | undefined;
  #timer: NodeJS.Timeout | undefined;
  #round: Promise<void> | undefined;
  #closing = false;
  #checkpoints = 0;
  #bytes = 0;
  #duration = 0;
  readonly #failures: Failures;
  readonly #setAside: SetAside[] = [];
  /** Machines whose first checkpoint is being written. */
  readonly #making = new Set<MachineHandle>();
  /** Names of configured machines: the deletion of one has to outlast the server. */
  #configured: ReadonlySet<string> = new Set();

  constructor(
    readonly folder: CheckpointStorage,
    readonly configuration: Pick<Configuration, 'stateIntervalMs' | 'stateCounter' | 'resumeGraceMs' | 'limits'>,
    readonly logger: Logger,
  ) {
    this.#failures = new Failures(folder.path, logger);
  }

  /** Throws `state-dir-in-use` or `state-dir-unusable`. */
  static async open(configuration: Configuration, logger: Logger, layer?: FileLayer): Promise<Checkpoints> {
    const { stateDir } = configuration;
    return unlessUnusable(
      stateDir,
      async () => new Checkpoints(await StateFolder.open(stateDir, layer), configuration, logger),
    );
  }

  get figures(): CheckpointFigures {
    const changed = [...(this.#machines ?? [])].filter((machine) => this.#isChanged(machine));
    const now = performance.now();
    const ages = changed.map(({ name, madeAt }) => now - (this.#last.get(name)?.since ?? madeAt));
    return {
      checkpoints: this.#checkpoints,
      failures: this.#failures.total,
      bytes: this.#bytes,
      age: Math.max(0, ...ages),
      duration: this.#duration,
      ...this.#failures.of(this.#machines ?? []),
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

  async makeMachines(machines: StoredMachines, configured: readonly MachineConfig[]): Promise<void> {
    this.#machines = machines;
    this.#configured = new Set(configured.map(({ name }) => name));
    const { path } = this.folder;
    const planned = await unlessUnusable(path, () => plan(this.folder, configured, this.logger, this.#noteSetAside));
    const inOrder = await unlessUnusable(path, () => this.folder.takeShutdown());
    for (const each of planned) await this.#make(machines, each, inOrder);
    const restored = planned.filter(({ checkpoint }) => checkpoint).length;
    this.logger.info({ folder: path, restored, inOrder }, `machines restored from ${path}: ${restored}`);
    await this.#begin();
  }

  async #make(machines: StoredMachines, { config, origin, checkpoint }: Planned, inOrder: boolean): Promise<void> {
    const machine = machines.create(config);
    this.#origins.set(config.name, origin);
    if (checkpoint) await makeAsIn(checkpoint, machine, inOrder, this.configuration, this.logger);
  }

  get machines(): Iterable<MachineHandle> {
    return this.#machines ?? [];
  }

  get maySend(): (() => boolean) | undefined {
    return this.folder.maySend;
  }

  readonly created = (machine: MachineHandle) => this.folder.created?.(machine);

  /** Makes a machine that another node of the cluster had. `inOrder`: the checkpoint is the last state that anyone saw of it. */
  async adopt(checkpoint: Checkpoint, inOrder: boolean): Promise<void> {
    const { config, origin } = checkpoint;
    this.#origins.set(config.name, origin);
    await this.#machines?.createHidden(config, (machine) =>
      makeAsIn(checkpoint, machine, inOrder, this.configuration, this.logger),
    );
  }

  /**
   * Ends a machine here after a last checkpoint, with its sessions. `release` lets another node continue it. Throws as `made`, or
   * as `release`, and then the machine runs on.
   */
  async moveAway(machine: MachineHandle, release: () => Promise<void>): Promise<void> {
    const { name } = machine;
    let sessions = sessionsOf(machine, true);
    const keep = () => {
      sessions = sessionsOf(machine, true);
    };
    const since = performance.now();
    await saveLast(machine, keep, (snapshot) =>
      this.#perMachine.run(name, async () => {
        await this.#commit(machine, snapshot, since, sessions);
        await release();
      }),
    ).catch((error) => {
      throw this.#failures.refusal(machine, error, true);
    });
    await this.disown(name);
  }

  /** Ends a machine that continues on another node of the cluster. */
  async disown(name: string): Promise<void> {
    this.#last.delete(name);
    this.#origins.delete(name);
    await this.#machines?.move(name);
  }

  async made(machine: MachineHandle): Promise<void> {
    const existed = this.#last.has(machine.name);
    this.#making.add(machine);
    try {
      const since = performance.now();
      const { snapshot, sessions } = await this.#save(machine);
      await this.#perMachine.run(machine.name, () => this.#commit(machine, snapshot, since, sessions));
    } catch (error) {
      machine.changed = true;
      throw this.#failures.refusal(machine, error, existed);
    } finally {
      this.#making.delete(machine);
    }
  }

  async delete(machine: MachineHandle, remove: () => void): Promise<void> {
    const { name } = machine;
    try {
      await this.#perMachine.run(name, async () => {
        if (machine.state === 'deleting') throw machine.gone();
        await this.#removeFiles(name);
        remove();
      });
    } catch (error) {
      throw this.#failures.refusal(machine, error, true);
    }
  }

  async discard(machine: MachineHandle, remove: () => void): Promise<void> {
    const { name } = machine;
    await this.#perMachine.run(name, async () => {
      if (machine.state === 'deleting') return;
      await this.#removeFiles(name).catch((error) => {
        this.logger.warn({ err: error, machine: name }, `what was written of machine ${name} could not be removed`);
      });
      remove();
    });
  }

  async #removeFiles(name: string): Promise<void> {
    await this.#hold();
    await this.folder.remove(name, this.#configured.has(name));
    this.#last.delete(name);
    this.#origins.delete(name);
  }

  async restore(machine: MachineHandle, snapshot: Snapshot, counter: 'continue' | 'jump'): Promise<void> {
    const { name } = machine;
    let committed = false;
    const before = async (loaded: Snapshot) => {
      const sessions = sessionsOf(machine, false);
      await this.#perMachine.run(name, () => this.#commit(machine, loaded, performance.now(), sessions));
      committed = true;
    };
    try {
      await restore(machine, snapshot, counter, { isServed: true, before });
    } catch (error) {
      // The former state is on the disk again, unless the machine is being deleted.
      const revert = async () => machine.state !== 'deleting' && this.folder.revert(name);
      if (committed)
        await this.#perMachine.run(name, revert).catch((failure) => this.#failures.failed(machine, failure));
      machine.changed = true;
      throw this.#failures.refusal(machine, error, true);
    }
  }

  async lastOf(name: string): Promise<Snapshot | undefined> {
    try {
      return await this.#perMachine.run(name, async () => {
        await this.#hold();
        const { checkpoint, damaged } = await this.folder.read(name);
        this.#noteSetAside(damaged, checkpoint !== undefined);
        return checkpoint?.snapshot;
      });
    } catch (error) {
      const machine = this.#machines?.get(name);
      throw machine ? this.#failures.refusal(machine, error, true) : error;
    }
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
    const last = this.#last.get(machine.name);
    if (!last || machine.changed) return true;
    return last.counts && machine.state === 'running' && machine.config.clock === 'realtime';
  }

  /** One round; returns the names of the machines that could not be written. */
  async #keepChanged(): Promise<string[]> {
    const begin = performance.now();
    const failed: string[] = [];
    const written = new Map<MachineHandle, LastCheckpoint>();
    const fail = (machine: MachineHandle, error: unknown) => {
      failed.push(machine.name);
      this.#failures.failed(machine, error);
    };
    const open = [...(this.#machines ?? [])].filter((machine) => machine.isOpen);
    try {
      await this.#hold();
    } catch (error) {
      for (const machine of open) fail(machine, error);
      return failed;
    }
    const changed = open.filter((machine) => this.#isChanged(machine) && !this.#making.has(machine));
    const worker = async () => {
      for (let machine = changed.pop(); machine; machine = changed.pop()) {
        try {
          const last = await this.#write(machine);
          if (last) written.set(machine, last);
        } catch (error) {
          machine.changed = true;
          // A machine that is deleted meanwhile, or in which threads hang, has no state to write.
          if (!isOfGoneMachine(error)) fail(machine, error);
        }
      }
    };
    await Promise.all(Array.from({ length: AT_A_TIME }, worker));
    try {
      if (written.size > 0) await this.folder.flush();
      for (const [machine, last] of written) this.#isWritten(machine, last);
    } catch (error) {
      for (const machine of written.keys()) fail(machine, error);
    }
    if (this.#failures.needsProbe) await this.#probe();
    this.#duration = performance.now() - begin;
    return failed;
  }

  /** To be called before anything is read or written: the folder may have been removed, or replaced, under the server. */
  async #hold(): Promise<void> {
    if (await this.folder.hold()) return;
    const { path } = this.folder;
    this.logger.warn(
      { folder: path },
      `${path} was removed or replaced; it is taken again, and all machines are written`,
    );
    this.#last.clear();
  }

  async #probe(): Promise<void> {
    await this.folder.probe().then(
      () => this.#failures.works(),
      () => {},
    );
  }

  /** Writes a checkpoint of a machine that changed; it is durable after a flush. */
  async #write(machine: MachineHandle): Promise<LastCheckpoint | undefined> {
    // It may have been written meanwhile.
    if (!this.#isChanged(machine)) return undefined;
    const since = performance.now();
    const { snapshot, sessions } = await this.#save(machine);
    return this.#perMachine.run(machine.name, async () => {
      if (machine.state === 'deleting') return undefined;
      this.#bytes += await this.folder.write(machine.name, this.#checkpointOf(machine, snapshot, sessions));
      return lastCheckpointOf(snapshot, since);
    });
  }

  /** The state of a machine, and its sessions at the same moment. */
  async #save(machine: MachineHandle): Promise<{ snapshot: Snapshot; sessions: Sessions }> {
    let sessions: Sessions | undefined;
    const snapshot = await save(machine, () => {
      sessions = sessionsOf(machine, this.#closing);
    });
    return { snapshot, sessions: sessions ?? sessionsOf(machine, false) };
  }

  /** Writes a checkpoint of a machine, durably. */
  async #commit(machine: MachineHandle, snapshot: Snapshot, since: number, sessions: Sessions): Promise<void> {
    if (machine.state === 'deleting') throw machine.gone();
    await this.#hold();
    this.#bytes += await this.folder.commit(machine.name, this.#checkpointOf(machine, snapshot, sessions));
    this.#isWritten(machine, lastCheckpointOf(snapshot, since));
  }

  #checkpointOf(machine: MachineHandle, snapshot: Snapshot, sessions: Sessions): Checkpoint {
    return {
      origin: this.#origins.get(machine.name) ?? 'api',
      config: machine.config,
      paused: machine.state === 'paused',
      bqlLoad: machine.bqlLoad,
      ...sessions,
      snapshot,
    };
  }

  #isWritten(machine: MachineHandle, last: LastCheckpoint): void {
    if (machine.state === 'deleting') return;
    this.#checkpoints++;
    this.#last.set(machine.name, last);
    this.#failures.written(machine);
  }

  /** Lets go of the folder, after a start that failed: what lies there stays as it is. */
  async abandon(): Promise<void> {
    this.#closing = true;
    clearTimeout(this.#timer);
    await this.#round;
    await this.folder.close();
  }

  /** A timer that fires behind the last state would fire once more after the restart: its interrupt would come twice. */
  async #stopClocks(): Promise<void> {
    const open = [...(this.#machines ?? [])].filter((machine) => machine.isOpen);
    await Promise.all(open.filter((machine) => this.#isChanged(machine)).map((machine) => machine.stopClock()));
    // Earlier checkpoints have no events.
    for (const machine of open) machine.changed ||= machine.vcpus.some(({ backlog }) => backlog.events > 0);
  }

  /** Keeps all that changed a last time; rejects with `state-not-kept` if that cannot be done within `ms`. */
  async close(ms: number): Promise<void> {
    this.#closing = true;
    clearTimeout(this.#timer);
    const kept = (this.#round ?? Promise.resolve()).then(() => this.#stopClocks()).then(() => this.#keepChanged());
    const failed = (await within(ms, kept, undefined)) ?? [...(this.#machines ?? [])].map(({ name }) => name);
    // A machine in which threads hang or died has emitted more than its checkpoint holds.
    const open = [...(this.#machines ?? [])].every((machine) => machine.isOpen);
    let { failure: reason = `they were not written within ${ms} ms` } = this.figures;
    let whole = failed.length === 0;
    try {
      if (whole && open) await this.folder.markShutdown();
    } catch (error) {
      whole = false;
      reason = reasonOf(error);
    }
    await this.folder.close();
    if (whole) return;
    throw new SouthbridgeError('state-not-kept', {
      folder: this.folder.path,
      machines: failed.join(', ') || 'none',
      reason,
    });
  }
}
