import { PROFILES, type Profile, type Quirk } from '../../core/devices/quirks.js';
import type { PresetName } from '../../core/locking/presets.js';
import type { Output, Step, Trace } from './trace.js';

/** What came of one step. */
export interface StepOutcome {
  /** Of a read; undefined if no device is at the address. */
  readonly value: bigint | undefined;
  readonly outputs: readonly Output[];
  /** Why the machine refused the step, if it did. */
  readonly refused?: string | undefined;
}

/** A fresh machine with a manual clock on which a trace is replayed. Steps may be issued before earlier ones complete. */
export interface ReplayMachine {
  /** Rejects with TargetLost only. */
  perform(step: Step): Promise<StepOutcome>;
  /** Called when no step is in flight, or the target is lost. */
  close(): Promise<void>;
}

export interface ReplayOptions {
  readonly profile: Profile;
  /** Single quirks, on or off whatever the profile says. */
  readonly quirks?: Readonly<Partial<Record<Quirk, boolean>>> | undefined;
  readonly locking: PresetName;
  /** Whether machines on a server have metrics of their own; `shared` if not given. */
  readonly metrics?: 'own' | 'shared';
}

/** Off in every replay: a trace has no vCPUs whose local APICs could accept a message. */
export const NEVER_REPLAYED = { 'remote-irr-on-accept': false } as const satisfies ReplayOptions['quirks'];

/** The quirks of a machine for replay. */
export function quirksOfReplay({ profile, quirks: given }: ReplayOptions): Set<Quirk> {
  const on = new Set<Quirk>(PROFILES[profile]);
  const quirks: Partial<Record<Quirk, boolean>> = { ...given, ...NEVER_REPLAYED };
  for (const quirk of Object.keys(quirks) as Quirk[]) {
    if (quirks[quirk]) on.add(quirk);
    else on.delete(quirk);
  }
  return on;
}

/** What a machine for a trace or a program consists of. */
export type Setup = Pick<Trace, 'kind' | 'hpet' | 'ioapicVersion'>;

/** Where machines for replay come from: this process, or a server. */
export interface ReplayTarget {
  readonly name: string;
  /** A machine for one trace or program; throws TargetRefusal or TargetLost. One machine is open at a time. */
  open(setup: Setup, options: ReplayOptions): Promise<ReplayMachine>;
  close(): Promise<void>;
}

/** The target does not make a machine for this trace; it may for others. */
export class TargetRefusal extends Error {
  override readonly name = 'TargetRefusal';
}

/** The target no longer answers, or not in the agreed way: nothing can be replayed on it any more. */
export class TargetLost extends Error {
  override readonly name: string = 'TargetLost';
}

/** No connection to the target can be made at all. */
export class TargetUnreachable extends TargetLost {}
