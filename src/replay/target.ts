import type { Profile } from '../devices/quirks.js';
import type { PresetName } from '../locking/presets.js';
import type { Output, Step, Trace } from './trace.js';

/** What came of one step. */
export interface Outcome {
  /** Of a read; undefined if no device is at the address. */
  readonly value: bigint | undefined;
  readonly outputs: readonly Output[];
}

/** A fresh machine with a manual clock on which a trace is replayed. Steps may be issued before earlier ones are done. */
export interface ReplayMachine {
  perform(step: Step): Promise<Outcome>;
  close(): Promise<void>;
}

export interface ReplayOptions {
  readonly profile: Profile;
  readonly locking: PresetName;
}

/** Where machines for replay come from: this process, or a server. */
export interface ReplayTarget {
  readonly name: string;
  open(trace: Trace, options: ReplayOptions): Promise<ReplayMachine>;
  close(): Promise<void>;
}
