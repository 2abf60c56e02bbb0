import { randomBytes } from 'node:crypto';
import { RequestError, type Southbridge } from '../../client/index.js';
import type { Workload } from './loaded-machine.js';
import { LoadError, type LoadOptions } from './options.js';
import { VCPUS_PER_MACHINE } from './vcpu-driver.js';

/** The pins of the vCPUs of one machine. */
const PINS = Array.from({ length: VCPUS_PER_MACHINE }, (_, index) => 8 + index);
const LEAST_TIMERS = 3;

export interface LoadTarget {
  readonly name: string;
  readonly locking: string;
  /** Class of the design; null if unknown. */
  readonly class: string | null;
  /** Host time of the server in ns. Earlier deadlocks do not belong to this load. */
  readonly since: number;
  /** One for each vCPU of the load. */
  readonly pins: readonly number[];
}

/** Creates the machines of a load, or selects an existing one. */
export class LoadTargets {
  readonly #made: string[] = [];

  constructor(readonly server: Southbridge) {}

  /** Throws LoadError. */
  async open(options: LoadOptions): Promise<LoadTarget[]> {
    return options.machine === undefined ? this.#make(options) : [await this.#find(options.machine, options)];
  }

  /** Creates machines of equal size, enough for all vCPUs. */
  async #make({ vcpus, workload, locking, metrics = 'shared' }: LoadOptions): Promise<LoadTarget[]> {
    const count = workload.isAlone ? vcpus : Math.ceil(vcpus / VCPUS_PER_MACHINE);
    const base = `load-${randomBytes(4).toString('hex')}`;
    const machines: LoadTarget[] = [];
    for (let index = 0; index < count; index++) {
      const pins = PINS.slice(0, Math.floor((vcpus + index) / count));
      const name = `${base}-${index}`;
      const made = (await this.server.createMachine({
        name,
        metrics,
        ...(locking !== undefined && { locking }),
        ...(workload.isAlone ? {} : configuration(pins.length)),
      })) as unknown as Description;
      this.#made.push(name);
      machines.push({ name, locking: lockingOf(made), class: made.locking.class, since: 0, pins });
    }
    return machines;
  }

  async #find(name: string, { vcpus, workload }: LoadOptions): Promise<LoadTarget> {
    const found = (await this.server.request('GET', `/v1/machines/${encodeURIComponent(name)}`)) as Description;
    const problem = problemOf(found, vcpus, workload);
    if (problem) throw new LoadError(`machine ${name} cannot run this load: ${problem}`);
    await this.server.request('POST', `/v1/machines/${encodeURIComponent(name)}/reset`);
    const since = Math.max(0, ...(await this.#deadlocks(name)));
    const pins = pinsOf(found, workload).slice(0, vcpus);
    return { name, locking: lockingOf(found), class: found.locking.class, since, pins };
  }

  /** Number of deadlocks in these machines, at most 32: the server stores reports of the last 32 only. */
  async deadlocksIn(machines: readonly LoadTarget[]): Promise<number> {
    const counts = machines.map(async ({ name, since }) => {
      const times = await this.#deadlocks(name);
      return times.filter((at) => at > since).length;
    });
    return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0);
  }

  /** Host times in ns. */
  async #deadlocks(name: string): Promise<number[]> {
    const path = `/v1/machines/${encodeURIComponent(name)}/deadlocks`;
    const { deadlocks } = (await this.server.request('GET', path)) as { deadlocks: readonly { at: number }[] };
    return deadlocks.map(({ at }) => at);
  }

  /** Deletes the machines that `open` created. Ignores machines that are deleted already or unreachable. */
  async close(): Promise<void> {
    await Promise.allSettled(this.#made.splice(0).map((name) => this.server.deleteMachine(name)));
  }
}

/** The fields used here of the server's description of a machine. */
interface Description {
  readonly clock: string;
  readonly state: string;
  readonly locking: { readonly [key: string]: string | null };
  readonly hpet: { readonly timers: number; readonly routingCapability: string };
  readonly vcpus: readonly { readonly vcpu: number; readonly connected: boolean }[];
}

/** A timer and a pin for each vCPU, and no 8259 pair: it would report the same interrupts to vCPU 0. */
function configuration(vcpus: number) {
  return {
    vcpus,
    pic: false,
    hpet: { timers: Math.max(LEAST_TIMERS, vcpus), routingCapability: '0x00ffff00' },
  };
}

/** The preset, or the four axes. */
function lockingOf({ locking }: Description): string {
  const { preset, mmio, timer, irq, control } = locking;
  return preset ?? [mmio, timer, irq, control].join(' / ');
}

function pinsOf({ hpet }: Description, { needs }: Workload): number[] {
  return needs === 'timer' ? PINS.filter((pin) => (Number(hpet.routingCapability) >> pin) & 1) : PINS;
}

function problemOf(machine: Description, vcpus: number, workload: Workload): string | undefined {
  const { clock, state, hpet } = machine;
  if (state !== 'running') return `it is ${state}`;
  if (clock !== 'realtime') return `its clock is ${clock}, not realtime`;
  if (workload.isAlone && vcpus > 1) return `${workload.name} has a machine for each vCPU; use --vcpus 1`;
  if (vcpus > machine.vcpus.length) return `it has ${machine.vcpus.length} vCPUs, not ${vcpus}`;
  const taken = machine.vcpus.slice(0, vcpus).find(({ connected }) => connected);
  if (taken) return `another client is connected as vCPU ${taken.vcpu}`;
  if (workload.needs === 'timer' && vcpus > hpet.timers) return `its HPET has ${hpet.timers} timers, not ${vcpus}`;
  const pins = pinsOf(machine, workload).length;
  return vcpus > pins ? `its timers can be routed to ${pins} of the pins 8 to 23, not ${vcpus}` : undefined;
}

/** The reason why a request or a connection failed, as a sentence. */
export function failureOf(error: unknown, url: string): string | undefined {
  if (error instanceof LoadError) return error.message;
  if (error instanceof RequestError) return `${error.code}: ${error.message}`;
  // `fetch` rejects with a TypeError; its cause is the reason.
  if (error instanceof TypeError && error.cause) {
    const { code, message } = error.cause as NodeJS.ErrnoException;
    return `no server answers at ${url} (${code ?? message}); start one, or correct --url`;
  }
  return undefined;
}
