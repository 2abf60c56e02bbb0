/** The accesses of the vCPUs: `guest` is a tickless guest, `counter-storm` reads the main counter alone. */
export const WORKLOADS = ['guest', 'counter-storm'] as const;
export type WorkloadName = (typeof WORKLOADS)[number];

/** Who holds the BQL for other work: a thread of its own, or the vCPUs, in MMIO of other devices. */
export const HOLDERS = ['background', 'vcpus'] as const;
export interface Holds {
  readonly holder: (typeof HOLDERS)[number];
  /** Length of each hold of the BQL, in ns. */
  readonly ns: number;
}

export const MUTEXES = ['barging', 'ticket'] as const;

/** The circumstances of a measurement. */
export interface Circumstances {
  /** Share of the time for which the BQL is held for other work, 0 to 0.95. */
  readonly load: number;
  readonly holds: Holds;
  readonly vcpus: number;
  readonly mutex: (typeof MUTEXES)[number];
  readonly workload: WorkloadName;
}

export type Factor = keyof Circumstances;

/** One row of a comparison: circumstances under which every design is measured. */
export interface Condition extends Circumstances {
  readonly name: string;
  /** The factor in which it differs from the base point; undefined for the base point. */
  readonly factor?: Factor;
}

/** The values of each factor that are measured by default. The base point has the first value of each. */
export const FACTORS: { readonly [factor in Factor]: readonly Circumstances[factor][] } = {
  load: [0.5, 0, 0.25, 0.75],
  holds: [
    { holder: 'background', ns: 500_000 },
    { holder: 'background', ns: 50_000 },
    { holder: 'background', ns: 5_000 },
    { holder: 'vcpus', ns: 500_000 },
    { holder: 'vcpus', ns: 50_000 },
    { holder: 'vcpus', ns: 5_000 },
  ],
  vcpus: [2, 1, 3, 4],
  mutex: MUTEXES,
  workload: WORKLOADS,
};

/** Values of some factors. The others are those of the base point. */
export type FactorValues = { readonly [factor in Factor]?: readonly Circumstances[factor][] };

/** The base point, then the conditions that differ from it in one factor. */
export function conditionsOf(values: FactorValues): Condition[] {
  const base: Circumstances = {
    load: baseOf('load', values.load),
    holds: baseOf('holds', values.holds),
    vcpus: baseOf('vcpus', values.vcpus),
    mutex: baseOf('mutex', values.mutex),
    workload: baseOf('workload', values.workload),
  };
  const others = (Object.keys(FACTORS) as Factor[]).flatMap((factor) =>
    (values[factor] ?? [])
      .filter((value) => !isSame(value, base[factor]))
      .map((value) => named({ ...base, [factor]: value }, factor)),
  );
  return [named(base), ...others];
}

/** The default, or where that is not asked for the first value that is. Without any load, holds make no difference. */
function baseOf<F extends Factor>(factor: F, values: readonly Circumstances[F][] = []): Circumstances[F] {
  const [preferred] = FACTORS[factor];
  return values.length === 0 || values.some((value) => isSame(value, preferred)) ? preferred : values[0];
}

function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

function named(circumstances: Circumstances, factor?: Factor): Condition {
  const name = factor ? NAMES[factor](circumstances) : NAMES.load(circumstances);
  return factor ? { ...circumstances, name, factor } : { ...circumstances, name };
}

const NAMES: { readonly [factor in Factor]: (of: Circumstances) => string } = {
  load: ({ load }) => `BQL load ${formatLoad(load)}`,
  holds: ({ holds }) => holdsText(holds),
  vcpus: ({ vcpus }) => vcpusText(vcpus),
  mutex: ({ mutex }) => `${mutex} locks`,
  workload: ({ workload }) => WORKLOAD_TEXTS[workload],
};

const WORKLOAD_TEXTS: { readonly [name in WorkloadName]: string } = {
  guest: 'accesses of a guest',
  'counter-storm': 'counter read storm',
};

function vcpusText(vcpus: number): string {
  return `${vcpus} vCPU${vcpus === 1 ? '' : 's'}`;
}

export function holdLength(ns: number): string {
  return `${ns / 1000} µs`;
}

function holdsText({ holder, ns }: Holds): string {
  return `holds of ${holdLength(ns)} by ${holder === 'vcpus' ? 'vCPUs' : 'a background thread'}`;
}

/** The condition within a sentence: `at a BQL load of 50 %`, `with ticket locks`. */
export function at({ name, factor, load }: Condition): string {
  if (factor === undefined || factor === 'load') return `at a BQL load of ${formatLoad(load)}`;
  return factor === 'workload' && name === WORKLOAD_TEXTS['counter-storm'] ? `in a ${name}` : `with ${name}`;
}

export function formatLoad(load: number): string {
  return `${Math.round(load * 100)} %`;
}

/** All circumstances of the base point. */
export function basePoint({ load, holds, vcpus, mutex, workload }: Circumstances): string {
  const parts = [`a BQL load of ${formatLoad(load)}`, holdsText(holds), vcpusText(vcpus), `${mutex} locks`];
  return `${parts.join(', ')}, ${WORKLOAD_TEXTS[workload]}`;
}

/** A thread cannot sleep for less with any precision: shorter holds of the background thread burn a core. */
const LEAST_SLEEP_NS = 200_000;

export function burns({ load, holds }: Circumstances): boolean {
  return load > 0 && holds.holder === 'background' && holds.ns < LEAST_SLEEP_NS;
}

/** Threads that never pause. The main loop sleeps most of the time, and so does a background thread with long holds. */
export function runnableThreads(circumstances: Circumstances): number {
  return circumstances.vcpus + (burns(circumstances) ? 1 : 0);
}

/** Whether rows may be judged. With more runnable threads than cores, the figures show the host's scheduler. */
export function isJudged(condition: Circumstances, cores: number): boolean {
  return runnableThreads(condition) <= cores;
}
