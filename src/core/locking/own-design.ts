import { SouthbridgeError } from '../../errors.js';
import type { Protection } from '../memory/layout.js';
import { OWN_DESIGN_AREA } from '../memory/map.js';
import * as locks from '../sync/lock-names.js';
import type { Design } from './axes.js';
import { bigLocked, flush, recording } from './irq/big-locked.js';
import { enterRouter, leafLocked } from './irq/leaf-locked.js';
import { AXES, addDesign, designNamed, type NamedDesign, PRESETS } from './presets.js';
import { traitFaults } from './trait-check.js';

/** What an axis value has. `optional` members are functions that a value may leave out. */
const MEMBERS: { readonly [A in keyof Design]: { readonly [M in keyof Required<Design[A]>]: Member } } = {
  mmio: { name: 'name', underBql: 'trait', enter: 'function', leave: 'function' },
  timer: {
    name: 'name',
    lockless: 'trait',
    kicks: 'trait',
    keepsBql: 'trait',
    takesBqlUnderMutex: 'trait',
    enter: 'function',
    leave: 'function',
  },
  irq: {
    name: 'name',
    lockless: 'trait',
    numbered: 'trait',
    takesBql: 'trait',
    takesMutexUnderBql: 'trait',
    appliesInPlace: 'trait',
    coalesces: 'trait',
    enter: 'function',
    leave: 'function',
    begin: 'function',
    end: 'function',
    settle: 'optional',
    driveLine: 'function',
    pulseLine: 'function',
    sendMsi: 'function',
    setPitGate: 'function',
  },
  control: { name: 'name', takesMutex: 'trait', followsOrder: 'trait', enter: 'function', leave: 'function' },
};

type Member = 'name' | 'trait' | 'function' | 'optional';
type Axis = keyof Design;

const AXIS_NAMES = Object.keys(MEMBERS) as Axis[];
/** A name is part of lists, replay strings and metrics. */
const NAME = /^[a-z0-9][a-z0-9+.-]{0,62}$/;
const NAME_RULE = 'a name of lower-case letters, digits, plus, dot and hyphen';
/** The design that gives the axes which a module leaves out. */
const BASE = PRESETS['lockless-irq'];

/** What a module's function gets to build its values from. */
const KIT = {
  BQL: locks.BQL,
  DEVICE: locks.DEVICE,
  ROUTER: locks.ROUTER,
  IOAPIC: locks.IOAPIC,
  PIC: locks.PIC,
  TIMERS: locks.TIMERS,
  /** The values that exist, by axis and name. */
  values: Object.fromEntries(
    AXIS_NAMES.map((axis) => [axis, Object.fromEntries(AXES[axis].map((value) => [value.name, value]))]),
  ),
  bigLocked,
  recording,
  flush,
  leafLocked,
  enterRouter,
  /** Declares words of each machine's memory; returns the address of the first. */
  words: (name: string, count: number, protection: Protection) => OWN_DESIGN_AREA.words(name, count, protection),
};

const loaded = new Map<string, NamedDesign>();

/** The modules that this thread has loaded, as URLs; a thread that it starts has to load them in the same order. */
export function loadedDesigns(): string[] {
  return [...loaded.keys()];
}

/** Loads a module that defines a design, once. Throws a SouthbridgeError if it cannot be used. */
export async function loadDesign(url: string): Promise<NamedDesign> {
  const known = loaded.get(url);
  if (known) return known;
  const file = decodeURIComponent(new URL(url).pathname);
  let exported: unknown;
  try {
    exported = (await import(url)).default;
    if (typeof exported === 'function') exported = exported(KIT);
  } catch (error) {
    throw unusable(file, `it fails with "${String((error as Error)?.message ?? error).split('\n')[0]}"`);
  }
  const named = designFrom(file, exported);
  addDesign(named);
  loaded.set(url, named);
  return named;
}

/** Loads the modules that another thread of this process has loaded. */
export async function loadDesigns(urls: readonly string[]): Promise<void> {
  for (const url of urls) await loadDesign(url);
}

function unusable(file: string, reason: string): SouthbridgeError {
  return new SouthbridgeError('design-unusable', { file, reason });
}

function designFrom(file: string, exported: unknown): NamedDesign {
  const refuse = (reason: string) => unusable(file, reason);
  const known = ['name', ...AXIS_NAMES];
  if (!isObject(exported)) {
    throw refuse(`its default export must be an object with ${known.join(', ')}, or a function that returns one`);
  }
  const surplus = Object.keys(exported).find((key) => !known.includes(key));
  if (surplus !== undefined) throw refuse(`it has an unknown key ${surplus}; the keys are ${known.join(', ')}`);
  const given = AXIS_NAMES.filter((axis) => exported[axis] !== undefined);
  if (given.length === 0) throw refuse(`it must have at least one of ${AXIS_NAMES.join(', ')}`);
  const design: Record<string, unknown> = { mmio: BASE.mmio, timer: BASE.timer, irq: BASE.irq, control: BASE.control };
  for (const axis of given) design[axis] = axisValue(axis, exported[axis], refuse);
  const own = given.map((axis) => exported[axis]).find(isObject);
  const name = exported.name ?? own?.name;
  if (typeof name !== 'string' || !NAME.test(name)) throw refuse(`name must be ${NAME_RULE}`);
  if (designNamed(name)) throw refuse(`there is a design ${name} already; choose another name`);
  const fault = firstFault(design as unknown as Design);
  if (fault !== undefined) throw refuse(fault);
  return { name, design: design as unknown as Design };
}

function firstFault(design: Design): string | undefined {
  try {
    return traitFaults(design)[0];
  } catch (error) {
    return `entering and leaving with its values fails with "${String((error as Error)?.message ?? error).split('\n')[0]}"`;
  }
}

/** The value of an axis: by its name if it exists, or else one that the module defines. */
function axisValue(axis: Axis, given: unknown, refuse: (reason: string) => SouthbridgeError): unknown {
  const values = AXES[axis];
  const names = values.map(({ name }) => name);
  if (typeof given === 'string') {
    const found = values.find(({ name }) => name === given);
    if (found) return found;
    throw refuse(`${axis} has no value ${JSON.stringify(given)}; the values are ${names.join(', ')}`);
  }
  if (!isObject(given)) throw refuse(`${axis} must be an object, or one of ${names.join(', ')}`);
  if (values.some((value) => Object.is(value, given))) return given;
  const members = MEMBERS[axis] as { readonly [member: string]: Member };
  for (const [member, kind] of Object.entries(members)) {
    if (!isKind(given[member], kind)) throw refuse(`${axis}.${member} must be ${MEANING[kind]}`);
  }
  const surplus = Object.keys(given).find((member) => !Object.hasOwn(members, member));
  if (surplus !== undefined) {
    throw refuse(`${axis} has an unknown member ${surplus}; the members are ${Object.keys(members).join(', ')}`);
  }
  if (names.includes(given.name as string)) throw refuse(`${axis} has a value ${given.name} already`);
  return given;
}

const MEANING: { readonly [kind in Member]: string } = {
  name: NAME_RULE,
  trait: 'true or false',
  function: 'a function',
  optional: 'a function, or left out',
};

function isKind(value: unknown, kind: Member): boolean {
  switch (kind) {
    case 'name':
      return typeof value === 'string' && NAME.test(value);
    case 'trait':
      return typeof value === 'boolean';
    case 'function':
      return typeof value === 'function';
    case 'optional':
      return value === undefined || typeof value === 'function';
  }
}

function isObject(value: unknown): value is { readonly [key: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
