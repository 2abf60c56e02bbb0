import { readlinkSync, writeFileSync } from 'node:fs';
import { type Check, ok, readText, warn } from './check.js';

const SLEEPS = 50;
const SLEEP_MS = 1;
/** ns. A single sleep that is so late delays a guest's tick by several periods. */
const WORST = 5_000_000;
/** ns. Later than this, timers of a guest with 1 kHz are noticeably late. */
const LATE = 500_000;

/** How exactly threads here wake up. */
export interface TimerFacts {
  /** ns that Linux adds to sleeps of this thread; undefined elsewhere. */
  readonly slack: number | undefined;
  /** Whether a thread can set its own, as the server's threads do. */
  readonly settable: boolean;
  /** ns by which sleeps of 1 ms ended too late: half of them, and the worst. */
  readonly median: number;
  readonly worst: number;
}

/** Sets the slack of this thread as a server's threads do, and sleeps 50 times. */
export function measureTimers(): TimerFacts {
  const file = slackFile();
  const slack = file === undefined ? undefined : Number(readText(file));
  const settable = file !== undefined && setSlack(file);
  const words = new Int32Array(new SharedArrayBuffer(4));
  const late = Array.from({ length: SLEEPS }, () => {
    const begin = process.hrtime.bigint();
    Atomics.wait(words, 0, 0, SLEEP_MS);
    return Number(process.hrtime.bigint() - begin) - SLEEP_MS * 1e6;
  }).sort((a, b) => a - b);
  return { slack, settable, median: late[SLEEPS >> 1], worst: late[SLEEPS - 1] };
}

function slackFile(): string | undefined {
  try {
    const file = `/proc/${readlinkSync('/proc/thread-self').split('/').pop()}/timerslack_ns`;
    return readText(file) === undefined ? undefined : file;
  } catch {
    return undefined;
  }
}

function setSlack(file: string): boolean {
  try {
    writeFileSync(file, '1');
    return Number(readText(file)) === 1;
  } catch {
    return false;
  }
}

export function timersCheck({ slack, settable, median, worst }: TimerFacts): Check {
  const name = 'timers';
  const micro = (ns: number) => `${Math.round(ns / 1000)} µs`;
  const own = slack === undefined ? 'no timer slack to set here' : `slack ${micro(slack)}`;
  const set = slack === undefined ? '' : settable ? ', which threads can set to 1 ns' : ', which threads cannot set';
  const found = `${own}${set}; sleeps of 1 ms ended ${micro(median)} too late, at worst ${micro(worst)}`;
  if (slack !== undefined && !settable) {
    return warn(name, found, 'Every timer is that much later; let the process write its own /proc/TID/timerslack_ns.');
  }
  if (median > LATE) return warn(name, found, 'Other work has the cores: give the server cores of its own.');
  if (worst > WORST) return warn(name, found, 'Some timers will be that late: give the server cores of its own.');
  return ok(name, found);
}
