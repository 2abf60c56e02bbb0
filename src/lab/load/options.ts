import type { PresetName } from '../../core/locking/presets.js';
import type { Workload } from './loaded-machine.js';

export interface LoadOptions {
  /** Of the server. */
  readonly url: string;
  /** Bearer token, if the server requires one. */
  readonly token?: string;
  readonly vcpus: number;
  readonly workload: Workload;
  readonly durationMs: number;
  /** Operations per second of all vCPUs together. Without a rate each vCPU starts an operation when the last one completes. */
  readonly rate?: number;
  readonly seed: number;
  /** An interrupt that is this late, and that the IRQ stream does not report either, counts as lost. */
  readonly patienceMs: number;
  /** Locking design of the created machines. */
  readonly locking?: PresetName;
  /** Whether the created machines have their own metrics; default `shared`. */
  readonly metrics?: 'own' | 'shared';
  /** An existing machine, used instead of created ones. */
  readonly machine?: string;
}

/** The requested load is impossible. */
export class LoadError extends Error {
  override readonly name = 'LoadError';
}
