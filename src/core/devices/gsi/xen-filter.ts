import { XEN_AREA as AREA } from '../../memory/map.js';
import type { Memory } from '../../memory/memory.js';
import { SOURCE_XEN } from './sources.js';

/** How the filter tells the levels that it drives itself from those of others. */
export const XEN_FORMS = ['flag+assert', 'flag', 'source-id'] as const;
export type XenForm = (typeof XEN_FORMS)[number];

export interface XenOptions {
  readonly form: XenForm;
  /** 0 to 23. */
  readonly gsi: number;
}

/** 1 + index of the form; 0: there is no filter. */
const FORM = AREA.word('form', 'constant');
const GSI = AREA.word('gsi', 'constant');
/** The last level that the router drove. */
const EXTERNAL = AREA.word('external', 'router');
/** The level of the event channel's callback. */
const CALLBACK = AREA.word('callback', 'router');
/** "I am setting it myself": 1 from before the router's protection is entered until after it is left. */
const SETTING = AREA.word('setting', 'sync');
const FAILURES = AREA.word('failures', 'sync');
/** 1 + call site of the last failure, and above it the thread. */
const LAST_FAILURE = AREA.word('lastFailure', 'sync');

const FLAG_AND_ASSERT = 1;
const SOURCE_ID = 3;

export interface XenPorts {
  /** Fails unless the calling thread holds the BQL. */
  assertBql(): void;
  /** Drives the interrupt controllers' inputs, by way of the filter. */
  driveInput(gsi: number, level: number, source: number): void;
}

/** Assertions that failed, with the call site and the thread of the last. */
export interface AssertionFailures {
  readonly count: number;
  readonly site: number;
  readonly thread: number;
}

/**
 * Xen's event channel on one GSI: a filter on the way from the router to the interrupt controllers. It remembers the
 * level that comes from the router and adds the callback's by OR; a change of the callback drives the same GSI once
 * more, through the filter. A level that the filter drives itself passes unchanged and is not remembered. In the flag forms a
 * global flag marks such levels. It marks the levels of other threads as well, unless the BQL keeps those threads out;
 * `flag+assert` asserts that.
 */
export class XenFilter {
  constructor(
    readonly memory: Memory,
    readonly ports: XenPorts,
  ) {}

  create(options: XenOptions | undefined): void {
    if (!options) return;
    this.memory.set(FORM, 1 + XEN_FORMS.indexOf(options.form));
    this.memory.set(GSI, options.gsi);
  }

  get options(): XenOptions | undefined {
    const form = this.memory.get(FORM);
    return form ? { form: XEN_FORMS[form - 1], gsi: this.memory.get(GSI) } : undefined;
  }

  /** Whether a path through the filter can fail. */
  get asserts(): boolean {
    return this.memory.get(FORM) === FLAG_AND_ASSERT;
  }

  /** The level that the controllers see for a level of the router; the caller has the router's protection. */
  filter(gsi: number, level: number, source: number): number {
    const { memory } = this;
    const form = memory.get(FORM);
    if (form === 0 || memory.get(GSI) !== gsi) return level;
    if (form === FLAG_AND_ASSERT) this.ports.assertBql();
    if (form === SOURCE_ID ? source === SOURCE_XEN : memory.load(SETTING) !== 0) return level;
    memory.set(EXTERNAL, level);
    return level | memory.get(CALLBACK);
  }

  /** Before the router's protection is entered to set the callback. */
  beginSetting(): void {
    if (this.asserts) this.ports.assertBql();
    if (this.memory.get(FORM) !== SOURCE_ID) this.memory.store(SETTING, 1);
  }

  /** The event channel's callback has this level; the caller has the router's protection. */
  setCallback(level: number): void {
    const { memory } = this;
    memory.set(CALLBACK, level);
    this.ports.driveInput(memory.get(GSI), level | memory.get(EXTERNAL), SOURCE_XEN);
  }

  /** After the router's protection was left. */
  endSetting(): void {
    if (this.memory.get(FORM) !== SOURCE_ID) this.memory.store(SETTING, 0);
  }

  countFailure(site: number, thread: number): void {
    this.memory.store(LAST_FAILURE, (site + 1) | (thread << 8));
    this.memory.add(FAILURES, 1);
  }

  failures(): AssertionFailures | undefined {
    const last = this.memory.load(LAST_FAILURE);
    return last === 0 ? undefined : { count: this.memory.load(FAILURES), site: (last & 0xff) - 1, thread: last >> 8 };
  }
}
