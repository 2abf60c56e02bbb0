import type { PresetName } from '../../core/locking/presets.js';
import type { Workload } from './bench.js';

export interface LoadOptions {
  /** Of the server. */
  readonly url: string;
  /** Bearer token, where the server wants one. */
  readonly token?: string;
  readonly vcpus: number;
  readonly workload: Workload;
  readonly durationMs: number;
  /** Operations per second of all vCPUs together; without it each vCPU begins the next when the last is done. */
  readonly rate?: number;
  readonly seed: number;
  /** After which an interrupt that was due, and of which the server does not tell either, is lost. */
  readonly patienceMs: number;
  /** Locking design of the machines that are made. */
  readonly locking?: PresetName;
  /** Whether those machines have metrics of their own; `shared` if not given. */
  readonly metrics?: 'own' | 'shared';
  /** A machine that is there, in place of those that are made. */
  readonly machine?: string;
}

/** A load that cannot be carried out. */
export class LoadError extends Error {
  override readonly name = 'LoadError';
}
