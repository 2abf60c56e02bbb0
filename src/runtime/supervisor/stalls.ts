import { Worker } from 'node:worker_threads';
import type { Memory } from '../../core/memory/memory.js';
import { Roles } from '../memory/progress.js';
import { type SharedMap, threadName } from '../memory/shared-map.js';
import type { Stall, StalledWait } from './watchdog.js';
import type { WatchdogData, WatchdogNews } from './watchdog-thread.js';

/** Shorter than a tick of the watchdog: a gateway that has turns has one in every tick. */
const GATEWAY_TICK_MS = 100;

/** The watchdog as the gateway sees it: starts its thread, shows it that the gateway has turns, and keeps its stalls. */
export class Stalls {
  /** Stalls that have not ended, by thread. */
  readonly current = new Map<number, Stall>();
  /** Stalls that ever began. */
  total = 0;
  #worker: Worker | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    readonly map: SharedMap,
    readonly shared: Memory,
    /** Called for each stall when it begins. */
    readonly onStall: (stall: Stall) => void,
  ) {}

  start(buffer: SharedArrayBuffer, exits: boolean): void {
    const roles = new Roles(this.shared, this.map.progress);
    this.#timer = setInterval(() => roles.gatewayTick(), GATEWAY_TICK_MS).unref();
    const workerData: WatchdogData = { buffer, map: this.map, exits };
    this.#worker = new Worker(new URL('watchdog-thread.js', import.meta.url), {
      workerData,
      execArgv: [],
      resourceLimits: { maxYoungGenerationSizeMb: 1 },
    });
    this.#worker.unref();
    this.#worker.on('message', (news: WatchdogNews) => this.#note(news));
  }

  #note({ begun, ended }: WatchdogNews): void {
    for (const thread of ended) this.current.delete(thread);
    for (const stall of begun) {
      this.total++;
      this.current.set(stall.thread, stall);
      this.onStall(stall);
    }
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#worker?.terminate();
  }

  /** What stalls, in words. `nameOf`: the name of the machine in a slot. */
  textOf(stall: Stall, nameOf: (slot: number) => string | undefined): string {
    const name = (thread: number) => threadName(thread, this.map, this.shared);
    const text = ({ thread, slot, waitsFor, site, owner }: StalledWait) => {
      const machine = slot < 0 ? '' : ` in machine ${nameOf(slot) ?? `of slot ${slot}`}`;
      const at = site === undefined ? '' : ` at ${site}`;
      const holder = owner === 0 ? '' : ` of ${name(owner)}`;
      return `${name(thread)}${machine} waits for ${waitsFor}${holder}${at}`;
    };
    return `${name(stall.thread)} has made no progress for 5 s: ${stall.waits.map(text).join('; ')}`;
  }
}
