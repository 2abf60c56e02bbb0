import type { Logger } from 'pino';
import { SouthbridgeError } from '../../errors.js';
import type { MachineHandle } from '../service/machine-handle.js';

/** What the system says if there is no space, or not for this user or this process. */
const NO_SPACE = ['ENOSPC', 'EDQUOT', 'EFBIG'];

/** What `MachineHandle.gone` answers. */
const GONE = ['machine-closing', 'machine-hung', 'machine-suspect'];

/** Whether an error says that the machine has no state to write, as opposed to a checkpoint that failed. */
export function isOfGoneMachine(error: unknown): boolean {
  return error instanceof SouthbridgeError && GONE.includes(error.code);
}

/** Which checkpoints could not be written, and why: of each machine until it is written again. */
export class Failures {
  total = 0;
  /** Why a request was refused that left no machine behind, until something can be written again. */
  #refused: string | undefined;

  constructor(
    readonly folder: string,
    readonly logger: Logger,
  ) {}

  /** Whether a refused request is all that is known to have failed: then only a probe shows whether there is space. */
  get needsProbe(): boolean {
    return this.#refused !== undefined;
  }

  /** How many of these machines fail, and why one of them, or else the last refused request, does. */
  of(machines: Iterable<MachineHandle>): { readonly failing: number; readonly failure: string | undefined } {
    const reasons = [...machines].flatMap(({ checkpointFailure }) => checkpointFailure ?? []);
    return { failing: reasons.length, failure: reasons[0] ?? this.#refused };
  }

  /** A checkpoint of a machine could not be written. Logs that once, until the machine is written again. */
  failed(machine: MachineHandle, error: unknown): void {
    this.total++;
    const { folder } = this;
    const reason = reasonOf(error);
    machine.changed = true;
    if (machine.checkpointFailure === undefined) {
      const { name } = machine;
      this.logger.error(
        { err: error, machine: name, folder },
        `no checkpoint of machine ${name} can be written to ${folder}: ${reason}; the last one stays, and each round tries again`,
      );
    }
    machine.checkpointFailure = reason;
  }

  /** A checkpoint of a machine was written. */
  written(machine: MachineHandle): void {
    this.works();
    if (machine.checkpointFailure === undefined) return;
    machine.checkpointFailure = undefined;
    this.logger.info({ machine: machine.name }, `checkpoints of machine ${machine.name} are written again`);
  }

  /** Something was written. */
  works(): void {
    if (this.#refused === undefined) return;
    this.#refused = undefined;
    this.logger.info({ folder: this.folder }, `${this.folder} can be written again`);
  }

  /** The answer to a request that could not be made durable. Machines that existed before are written in the next round. */
  refusal(machine: MachineHandle, error: unknown, existed: boolean): unknown {
    if (error instanceof SouthbridgeError) {
      if (existed && error.code === 'checkpoint-unreadable') this.failed(machine, error);
      return error;
    }
    if (existed) this.failed(machine, error);
    else this.#refuse(machine.name, error);
    const { code } = error as NodeJS.ErrnoException;
    const isFull = code !== undefined && NO_SPACE.includes(code);
    return new SouthbridgeError(isFull ? 'state-no-space' : 'state-unavailable', {
      machine: machine.name,
      folder: this.folder,
      reason: reasonOf(error),
    });
  }

  #refuse(name: string, error: unknown): void {
    this.total++;
    const reason = reasonOf(error);
    if (this.#refused === undefined) {
      const { folder } = this;
      this.logger.error(
        { err: error, machine: name, folder },
        `machine ${name} was refused, as ${folder} cannot be written: ${reason}`,
      );
    }
    this.#refused = reason;
  }
}

/** What the system said, without the paths that follow it: everybody may ask `/readyz`. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message.replace(/ '\/.*$/s, '') : String(error);
}

/** Throws `state-dir-unusable` for what the system says about a folder. */
export async function unlessUnusable<T>(folder: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof SouthbridgeError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new SouthbridgeError('state-dir-unusable', { folder, reason });
  }
}
