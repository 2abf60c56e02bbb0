import { readFileSync } from 'node:fs';
import { SOURCE_PIT, SOURCE_RTC } from '../../core/devices/gsi/sources.js';
import { PROFILE_NAMES, PROFILES, type Profile, quirkBits } from '../../core/devices/quirks.js';
import {
  CONTROL_LEGACY_INPUT,
  CONTROL_PAUSE,
  CONTROL_REMOVE,
  CONTROL_RESET,
  CONTROL_SAVE,
} from '../../core/machine/control-path.js';
import { SouthbridgeError } from '../../errors.js';
import { acknowledge, endOfInterrupt, type GuestRequest, line, portWrite, read, write } from './requests.js';
import type { ControlRequest, Preparation, Scenario } from './scenario.js';
import { findScenario } from './scenarios.js';

type Members = { readonly [member: string]: unknown };

const NAME = /^[a-z0-9][a-z0-9-]{0,62}$/;
/** Requests that the ring of a vCPU thread holds from the start. */
const MOST_REQUESTS = 4;
const MOST_VCPUS = 3;
const MOST_STEPS = 64;
const GSIS = 24;

/** What a step is called, the members that it has beside that, and what it stands for. */
const REQUESTS: { readonly [kind: string]: (step: Members, at: string) => GuestRequest } = {
  write: (step, at) =>
    write(wordAt(step, 'write', at, 2 ** 32 - 1), wordAt(step, 'value', at, 2 ** 53 - 1), sizeOf(step, at)),
  read: (step, at) => read(wordAt(step, 'read', at, 2 ** 32 - 1), sizeOf(step, at)),
  line: (step, at) => line(wordAt(step, 'line', at, GSIS - 1), wordAt(step, 'level', at, 1)),
  endOfInterrupt: (step, at) => endOfInterrupt(wordAt(step, 'endOfInterrupt', at, 255)),
  portWrite: (step, at) => portWrite(wordAt(step, 'portWrite', at, 0xffff), wordAt(step, 'value', at, 255)),
  acknowledge: (step, at) => {
    if (step.acknowledge !== true) throw refused(`${at}.acknowledge must be true`);
    return acknowledge;
  },
};
const MEMBERS: { readonly [kind: string]: readonly string[] } = {
  write: ['value', 'size'],
  read: ['size'],
  line: ['level'],
  endOfInterrupt: [],
  portWrite: ['value'],
  acknowledge: [],
};

const CONTROL: { readonly [work: string]: ControlRequest } = {
  reset: { work: CONTROL_RESET, argument: 0 },
  pause: { work: CONTROL_PAUSE, argument: 0 },
  save: { work: CONTROL_SAVE, argument: 0 },
  remove: { work: CONTROL_REMOVE, argument: 0 },
  'pit-low': { work: CONTROL_LEGACY_INPUT, argument: SOURCE_PIT * 2 },
  'pit-high': { work: CONTROL_LEGACY_INPUT, argument: SOURCE_PIT * 2 + 1 },
  'rtc-low': { work: CONTROL_LEGACY_INPUT, argument: SOURCE_RTC * 2 },
  'rtc-high': { work: CONTROL_LEGACY_INPUT, argument: SOURCE_RTC * 2 + 1 },
};

const KEYS = ['name', 'description', 'machine', 'before', 'times', 'vcpus', 'control', 'preemptions'];

/** Reads a scenario from a JSON file. Throws a SouthbridgeError if it is not one. */
export function readScenario(file: string): Scenario {
  try {
    return scenarioOf(JSON.parse(readFileSync(file, 'utf8')));
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    throw new SouthbridgeError('scenario-unusable', { file, reason: error.message.split('\n')[0].replace(/\.$/, '') });
  }
}

function refused(reason: string): Error {
  return new Error(reason);
}

function scenarioOf(value: unknown): Scenario {
  const given = membersOf(value, 'the file', KEYS);
  const { name, description = '', machine, before = [], times, vcpus, control, preemptions } = given;
  if (typeof name !== 'string' || !NAME.test(name)) {
    throw refused('name must be a name of lower-case letters, digits and hyphens');
  }
  if (findScenario(name)) throw refused(`there is a scenario ${name} already; choose another name`);
  if (typeof description !== 'string') throw refused('description must be a string');
  const known = Object.keys(CONTROL);
  if (control !== undefined && !known.includes(control as string)) {
    throw refused(`control must be one of ${known.join(', ')}, or left out`);
  }
  const threads = listOf(vcpus, 'vcpus', 1, MOST_VCPUS);
  return {
    name,
    description,
    ...(machine !== undefined && { machine: machineOf(machine) }),
    before: listOf(before, 'before', 0, MOST_STEPS).map((step, i) => preparationOf(step, `before[${i}]`)),
    times: timesOf(times),
    vcpus: threads.map((requests, vcpu) =>
      listOf(requests, `vcpus[${vcpu}]`, 0, MOST_REQUESTS).map((step, i) => requestOf(step, `vcpus[${vcpu}][${i}]`)),
    ),
    ...(control !== undefined && { control: CONTROL[control as string] }),
    ...(preemptions !== undefined && { preemptions: wordAt(given, 'preemptions', 'the file', 999) }),
  };
}

function machineOf(value: unknown): NonNullable<Scenario['machine']> {
  const given = membersOf(value, 'machine', ['profile', 'pic']);
  const { profile, pic } = given;
  if (profile !== undefined && !PROFILE_NAMES.includes(profile as Profile)) {
    throw refused(`machine.profile must be one of ${PROFILE_NAMES.join(', ')}`);
  }
  if (pic !== undefined && typeof pic !== 'boolean') throw refused('machine.pic must be true or false');
  return {
    ...(profile !== undefined && { quirks: quirkBits(PROFILES[profile as Profile]) }),
    ...(pic !== undefined && { pic }),
  };
}

function preparationOf(value: unknown, at: string): Preparation {
  if (isObject(value) && 'mainLoopAt' in value) {
    const step = membersOf(value, at, ['mainLoopAt']);
    return { mainLoopAt: wordAt(step, 'mainLoopAt', at, 2 ** 53 - 1) };
  }
  return requestOf(value, at, ['mainLoopAt']);
}

/** `others`: what the step could be beside a request. */
function requestOf(value: unknown, at: string, others: readonly string[] = []): GuestRequest {
  const kinds = Object.keys(REQUESTS);
  const kind = isObject(value) ? kinds.find((name) => name in value) : undefined;
  if (kind === undefined) {
    throw refused(`${at} must be an object with one of ${[...kinds, ...others].join(', ')}`);
  }
  return REQUESTS[kind](membersOf(value, at, [kind, ...MEMBERS[kind]]), at);
}

function timesOf(value: unknown): number[] {
  const times = listOf(value, 'times', 1, 4);
  const isTime = (time: unknown) => typeof time === 'number' && Number.isInteger(time) && time >= 0;
  if (!times.every(isTime) || times.some((time, i) => i > 0 && Number(time) <= Number(times[i - 1]))) {
    throw refused('times must be 1 to 4 whole numbers of nanoseconds, each above the one before');
  }
  return times as number[];
}

function sizeOf(step: Members, at: string): number {
  const { size = 8 } = step;
  if (size === 1 || size === 2 || size === 4 || size === 8) return size;
  throw refused(`${at}.size must be 1, 2, 4 or 8`);
}

/** A number, or a string of hexadecimal digits that begins with 0x. */
function wordAt(step: Members, member: string, at: string, most: number): number {
  const given = step[member];
  const number = typeof given === 'string' && /^0x[0-9a-fA-F]{1,14}$/.test(given) ? Number(given) : given;
  if (typeof number === 'number' && Number.isInteger(number) && number >= 0 && number <= most) return number;
  throw refused(`${at}.${member} must be a whole number from 0 to ${most}, or such a number in a string as "0x1f"`);
}

function listOf(value: unknown, at: string, least: number, most: number): readonly unknown[] {
  if (Array.isArray(value) && value.length >= least && value.length <= most) return value;
  throw refused(`${at} must be a list of ${least} to ${most} items`);
}

function membersOf(value: unknown, at: string, known: readonly string[]): Members {
  if (!isObject(value)) throw refused(`${at} must hold an object with ${known.join(', ')}`);
  const surplus = Object.keys(value).find((key) => !known.includes(key));
  if (surplus !== undefined) throw refused(`${at} has an unknown key ${surplus}; the keys are ${known.join(', ')}`);
  return value;
}

function isObject(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
