import { XEN_FORMS } from '../core/devices/gsi/xen-filter.js';
import { PROFILE_NAMES, PROFILES, QUIRK_NAMES, type Quirk, quirkBits } from '../core/devices/quirks.js';
import { AXES, designOf, type NamedDesign, PRESET_NAMES, type PresetName } from '../core/locking/presets.js';
import type { BqlLoadOptions } from '../core/machine/bql-load.js';
import type { MachineOptions } from '../core/machine/machine.js';
import { DEFAULT_LOCKS } from '../core/sync/locks.js';
import { type Static, Type } from '../schema/type.js';

/** Nothing is dropped silently: a key that the schema does not name is refused. */
const CLOSED = { additionalProperties: false } as const;

/** The names that `locking` may have; the schema holds these lists themselves. */
const LOCKING_NAMES: string[] = [...PRESET_NAMES];
const AXIS_NAMES = {
  mmio: AXES.mmio.map(({ name }) => name),
  timer: AXES.timer.map(({ name }) => name),
  irq: AXES.irq.map(({ name }) => name),
  control: AXES.control.map(({ name }) => name),
};

/** Lets machines have a design that a module defines. Before the first configuration is checked. */
export function allowDesign({ name, design }: NamedDesign): void {
  if (!LOCKING_NAMES.includes(name)) LOCKING_NAMES.push(name);
  for (const axis of ['mmio', 'timer', 'irq', 'control'] as const) {
    if (!AXIS_NAMES[axis].includes(design[axis].name)) AXIS_NAMES[axis].push(design[axis].name);
  }
}

const Locking = Type.Union(
  [
    Type.Enum(LOCKING_NAMES as [PresetName, ...PresetName[]], { description: 'A named design.' }),
    Type.Object(
      {
        mmio: Type.Enum(AXIS_NAMES.mmio, { description: "How a vCPU's access enters the HPET." }),
        timer: Type.Enum(AXIS_NAMES.timer, { description: 'How a timer callback on the main loop enters the HPET.' }),
        irq: Type.Enum(AXIS_NAMES.irq, { description: 'How a line change or message leaves the HPET.' }),
        control: Type.Enum(AXIS_NAMES.control, {
          description: 'How reset, pause, resume and the legacy inputs enter the HPET.',
        }),
      },
      { ...CLOSED, description: 'One value of each axis.' },
    ),
  ],
  { default: 'lockless-timer', description: 'The locking design: a preset, or one value for each of the four axes.' },
);

const Quirks = Type.Object(Object.fromEntries(QUIRK_NAMES.map((quirk) => [quirk, Type.Optional(Type.Boolean())])), {
  ...CLOSED,
  default: {},
  description: 'Single quirks, switched on or off whatever the profile says.',
});

const HpetConfig = Type.Object(
  {
    timers: Type.Optional(Type.Integer({ minimum: 3, maximum: 24, default: 3, description: 'Number of comparators.' })),
    msi: Type.Optional(Type.Boolean({ default: false, description: 'Whether timers can deliver by FSB (MSI).' })),
    routingCapability: Type.Optional(
      Type.String({
        pattern: '^0x(00)?[0-9a-fA-F]{1,6}$',
        default: '0x00ff0104',
        description:
          'The GSIs (0–23) that timers may be routed to, one bit each, as their configuration registers show it.',
      }),
    ),
    profile: Type.Optional(
      Type.Enum([...PROFILE_NAMES], {
        default: 'standard',
        description:
          '`datasheet`: the documents, strictly. `standard`: also what guests of a virtual HPET need. `qemu-11.1`: QEMU 11.1, to the bit. Holds for the IOAPIC too.',
      }),
    ),
    quirks: Type.Optional(Quirks),
  },
  { ...CLOSED, default: {} },
);

const IoapicConfig = Type.Object(
  {
    version: Type.Optional(
      Type.Enum(['0x11', '0x20'], {
        default: '0x20',
        description: 'Version register. Only 0x20 has the EOI register.',
      }),
    ),
    id: Type.Optional(Type.Integer({ minimum: 0, maximum: 15, default: 0, description: 'Identification at reset.' })),
  },
  { ...CLOSED, default: {} },
);

/** Also the body of `PUT /v1/machines/:machine/bql/load`. */
export const BqlLoadConfig = Type.Object(
  {
    duty: Type.Optional(
      Type.Number({
        minimum: 0,
        maximum: 0.95,
        default: 0,
        description: 'Share of the time for which the main loop holds the BQL for other work.',
      }),
    ),
    hold: Type.Optional(
      Type.String({
        pattern: '^[1-9][0-9]{0,8}$',
        default: '500000',
        description: 'Length of each hold, in nanoseconds.',
      }),
    ),
    mode: Type.Optional(
      Type.Enum(['sleep', 'burn'], {
        default: 'sleep',
        description: 'Whether the main loop sleeps while it holds the BQL, as in a system call, or burns a core.',
      }),
    ),
  },
  CLOSED,
);
export type BqlLoadConfig = Required<Static<typeof BqlLoadConfig>>;

const LocksConfig = Type.Object(
  {
    mutex: Type.Optional(
      Type.Enum(['barging', 'ticket'], {
        default: DEFAULT_LOCKS.mutex,
        description: '`barging`: a thread that runs may overtake those that wait. `ticket`: each gets it in its turn.',
      }),
    ),
    checkOrder: Type.Optional(
      Type.Boolean({
        default: DEFAULT_LOCKS.checkOrder,
        description: 'Whether the order of acquisitions is recorded, and one that could deadlock reported.',
      }),
    ),
  },
  { ...CLOSED, default: {} },
);

const XenConfig = Type.Object(
  {
    form: Type.Optional(
      Type.Enum(['none', ...XEN_FORMS], {
        default: 'none',
        description:
          'How the filter of the event channel tells what it drives itself. `flag`: by one flag for all threads, which is right only under the BQL. `flag+assert`: so, and an access that comes without the BQL fails. `source-id`: by the source of each call. `none`: there is no filter.',
      }),
    ),
    gsi: Type.Optional(Type.Integer({ minimum: 0, maximum: 23, default: 9, description: 'The GSI of its callback.' })),
  },
  { ...CLOSED, default: {}, description: "Xen's event channel on the way from the GSI router to the controllers." },
);

/** A machine, in the configuration file and as the body of POST /v1/machines. */
export const MachineConfig = Type.Object(
  {
    name: Type.String({
      pattern: '^[a-z0-9][a-z0-9._-]{0,62}$',
      examples: ['vm-1'],
      description: 'Names the machine in URLs and metrics: lower-case letters, digits, dot, underscore and hyphen.',
    }),
    locking: Type.Optional(Locking),
    clock: Type.Optional(
      Type.Enum(['realtime', 'manual'], {
        default: 'realtime',
        description: '`realtime` follows the host; `manual` moves only when a client steps it.',
      }),
    ),
    hpet: Type.Optional(HpetConfig),
    ioapic: Type.Optional(IoapicConfig),
    vcpus: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 64, default: 8, description: 'Number of vCPUs, numbered from 0.' }),
    ),
    timer: Type.Optional(
      Type.Object(
        {
          generationCheck: Type.Optional(
            Type.Boolean({
              default: true,
              description:
                'Whether a timer callback finds out that it was cancelled or re-armed meanwhile. `false` reproduces the window that QEMU has.',
            }),
          ),
        },
        { ...CLOSED, default: {} },
      ),
    ),
    pic: Type.Optional(
      Type.Boolean({ default: true, description: 'Whether there is an 8259 pair, which GSIs 0–15 drive as well.' }),
    ),
    xen: Type.Optional(XenConfig),
    seqlock: Type.Optional(
      Type.Enum(['short', 'legacy'], {
        default: 'short',
        description:
          "Work inside the write section that blocks readers of the main counter. `short`: the write of the counter's words only. `legacy`, as in QEMU 10.2: turning the HPET on or off also raises interrupts there, and a reader that holds the BQL spins forever.",
      }),
    ),
    bql: Type.Optional(
      Type.Object(
        { load: Type.Optional(Type.Object(BqlLoadConfig.properties, { ...CLOSED, default: {} })) },
        { ...CLOSED, default: {}, description: 'Background work of the main loop under the BQL.' },
      ),
    ),
    statistics: Type.Optional(
      Type.Enum(['default', 'exact'], {
        default: 'default',
        description:
          '`exact` times every access and every hold of a lock, not one in 64, and counts threads that meet inside a device; locks then cost several times as much.',
      }),
    ),
    metrics: Type.Optional(
      Type.Enum(['own', 'shared'], {
        default: 'own',
        description:
          '`own`: metrics under the name of the machine, if fewer than limits.measuredMachines have them. `shared`: metrics in common with other machines of its design, under `_other`.',
      }),
    ),
    locks: Type.Optional(LocksConfig),
    onDeadlock: Type.Optional(
      Type.Enum(['break', 'hang'], {
        default: DEFAULT_LOCKS.onDeadlock,
        description: '`break` refuses the acquisition that closes a cycle of waiting threads; `hang` lets them hang.',
      }),
    ),
  },
  CLOSED,
);

/** Every key given, except those of a choice or of single quirks. */
type Complete<T> = T extends object ? { [K in keyof T]-?: K extends 'quirks' ? QuirkSwitches : Complete<T[K]> } : T;
type QuirkSwitches = { readonly [Name in Quirk]?: boolean };

/** What a user writes: keys with a default may be left out. */
export type MachineConfigInput = Static<typeof MachineConfig>;
/** What validation (with `useDefaults`) makes of it. */
export type MachineConfig = Complete<MachineConfigInput>;

/** Quirk bits of a profile after the single switches. */
export function quirksFor(profile: MachineConfig['hpet']['profile'], switches: QuirkSwitches): number {
  const on = new Set<Quirk>(PROFILES[profile]);
  for (const quirk of QUIRK_NAMES) {
    if (switches[quirk] === true) on.add(quirk);
    else if (switches[quirk] === false) on.delete(quirk);
  }
  return quirkBits(on);
}

/** The core's form of background work under the BQL. */
export function toBqlLoad({ duty, hold, mode }: BqlLoadConfig): BqlLoadOptions {
  return { duty: Math.round(duty * 1000), hold: Number(hold), burn: mode === 'burn' };
}

/** The core's options for a valid, completed machine configuration. */
export function toMachineOptions(config: MachineConfig, slot: number, statisticsSlot = 0): MachineOptions {
  const { hpet, ioapic, xen } = config;
  return {
    slot,
    design: designOf(config.locking),
    clock: config.clock,
    hpet: { timers: hpet.timers, msi: hpet.msi, routingCapability: Number(hpet.routingCapability) },
    ioapic: { version: Number(ioapic.version), id: ioapic.id },
    quirks: quirksFor(hpet.profile, hpet.quirks),
    vcpus: config.vcpus,
    locks: { ...config.locks, onDeadlock: config.onDeadlock },
    generationCheck: config.timer.generationCheck,
    countOverlap: config.statistics === 'exact',
    statistics: { slot: statisticsSlot, exact: config.statistics === 'exact' },
    pic: config.pic,
    xen: xen.form === 'none' ? undefined : { form: xen.form, gsi: xen.gsi },
    seqlock: config.seqlock,
    load: toBqlLoad(config.bql.load),
  };
}
