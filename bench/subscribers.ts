import { once } from 'node:events';
import { createHistogram, type RecordableHistogram } from 'node:perf_hooks';
import { Worker } from 'node:worker_threads';
import { WebSocket } from 'ws';
import { Vcpu } from '../src/client/index.js';
import { IOAPIC_BASE } from '../src/core/devices/guest-map.js';
import { IOEOI, IOREDTBL, IOWIN, TRIGGER_LEVEL } from '../src/core/devices/ioapic/registers.js';
import { median, ROUNDS } from './measure.js';
import { type Row, row, selfRow } from './rows.js';
import { request } from './wire/api.js';
import { ServerProcess } from './wire/server.js';

/**
 * Many subscribers of one machine's IRQ stream. Each EOI of a level-triggered pin whose line stays high makes the IOAPIC
 * send again: one event, which goes to all of them. Meanwhile the server is asked for its health.
 */
const SUBSCRIBERS = 100;
const ROUND_MS = 500;
const PACE_MS = 10;
const PIN = 4;
const VECTOR = 0x30;
/** Nobody is connected as this vCPU. */
const DESTINATION = 1;
/** Events that reach subscribers in a second, all of them together. */
const DELIVERIES = 100_000;
/** The same number to each: more than the bytes that 2 cores can move. It is tried, and nothing is claimed of it. */
const FLOOD = 100_000 * SUBSCRIBERS;
const FLOOD_MS = 2000;

interface Totals {
  readonly received: number;
  readonly skipped: number;
  readonly wrong: number;
}

class Scene {
  /** Number of the machine's last event. */
  sequence = 0;

  private constructor(
    readonly server: ServerProcess,
    readonly vcpu: Vcpu,
    readonly subscribers: Worker,
  ) {}

  static async open(): Promise<Scene> {
    const server = await ServerProcess.southbridge();
    await request('POST', `${server.url}/v1/machines`, { name: 'events', pic: false });
    const vcpu = await Vcpu.connect(server.url, 'events', 0, { WebSocket: WebSocket as never, onEvent: () => {} });
    const entry = [
      [IOREDTBL + 2 * PIN + 1, DESTINATION * 2 ** 24],
      [IOREDTBL + 2 * PIN, VECTOR | TRIGGER_LEVEL],
    ] as const;
    for (const [index, value] of entry) {
      vcpu.post(IOAPIC_BASE, 4, index);
      await vcpu.write(IOAPIC_BASE + IOWIN, 4, value);
    }
    await vcpu.setLine(PIN, 1);
    const url = `${server.url.replace('http', 'ws')}/v1/machines/events/irqs`;
    const driver = new URL('./wire/subscribers-driver.js', import.meta.url);
    const subscribers = new Worker(driver, { workerData: { url, count: SUBSCRIBERS } });
    await once(subscribers, 'message');
    return new Scene(server, vcpu, subscribers);
  }

  /** Makes events at this rate for some time; how many. */
  async events(perSecond: number, ms: number): Promise<number> {
    const eoi = { address: IOAPIC_BASE + IOEOI, size: 4, value: VECTOR };
    const begin = performance.now();
    let made = 0;
    for (let now = begin; now < begin + ms; now = performance.now()) {
      const due = Math.round(((now - begin) / 1000) * perSecond) - made;
      const count = Math.min(due, 4000);
      if (count > 0) await this.vcpu.batch(Array.from({ length: count }, () => eoi));
      made += count;
      await new Promise((resolve) => setTimeout(resolve, PACE_MS));
    }
    return made;
  }

  /** What the subscribers have received, when they have come to the machine's last event. */
  async totals(): Promise<Totals> {
    const { sequence } = (await request('GET', `${this.server.url}/v1/machines/events`)) as { sequence: string };
    this.subscribers.postMessage(Number(sequence));
    const [totals] = await once(this.subscribers, 'message');
    return totals;
  }

  /** Asks for the server's health as often as it answers, until `over` resolves; ns. */
  async health(over: Promise<unknown>): Promise<RecordableHistogram> {
    const histogram = createHistogram({ lowest: 1, highest: 60e9, figures: 3 });
    let isOver = false;
    over.finally(() => {
      isOver = true;
    });
    while (!isOver) {
      const begin = performance.now();
      await request('GET', `${this.server.url}/healthz`);
      histogram.record(Math.max(1, Math.round((performance.now() - begin) * 1e6)));
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    return histogram;
  }

  async close(): Promise<void> {
    this.vcpu.close();
    this.subscribers.postMessage('end');
    await once(this.subscribers, 'exit');
    await this.server.stop();
  }
}

const P99 = 99;
const pause = () => new Promise((resolve) => setTimeout(resolve, ROUND_MS / 2));

export async function rows(): Promise<Row[]> {
  const scene = await Scene.open();
  try {
    const first: number[] = [];
    const own: number[] = [];
    const second: number[] = [];
    let made = 0;
    for (let round = -1; round < ROUNDS; round++) {
      const before = await scene.health(pause());
      const events = scene.events(DELIVERIES / SUBSCRIBERS, ROUND_MS);
      const between = await scene.health(events);
      made += await events;
      await scene.totals();
      const after = await scene.health(pause());
      // One round to warm up.
      if (round < 0) continue;
      first.push(before.percentile(P99) / 1e6);
      own.push(between.percentile(P99) / 1e6);
      second.push(after.percentile(P99) / 1e6);
    }
    const { received, wrong } = await scene.totals();
    return [
      row(
        `${SUBSCRIBERS} subscribers, ${DELIVERIES} events/s to all: lost`,
        made * SUBSCRIBERS - received + wrong,
        '',
        {
          better: 'lower',
          target: 0,
        },
      ),
      row(`${SUBSCRIBERS} subscribers, ${DELIVERIES} events/s to all: /healthz p99`, median(own), 'ms', {
        better: 'lower',
        target: 50,
      }),
      selfRow(`${SUBSCRIBERS} subscribers: /healthz p99 without events`, 'ms', 'lower', { first, second }),
      ...(await flood(scene)),
    ];
  } finally {
    await scene.close();
  }
}

/** What happens at more than can be sent: all that is missing is told by gaps. */
async function flood(scene: Scene): Promise<Row[]> {
  const before = await scene.totals();
  const begin = performance.now();
  const events = scene.events(FLOOD / SUBSCRIBERS, FLOOD_MS);
  const health = await scene.health(events);
  const made = await events;
  const after = await scene.totals();
  const seconds = (performance.now() - begin) / 1000;
  const received = after.received - before.received;
  const silent = made * SUBSCRIBERS - received - (after.skipped - before.skipped) + after.wrong - before.wrong;
  const name = `${SUBSCRIBERS} subscribers, ${FLOOD / SUBSCRIBERS} events/s to each, as far as it goes`;
  return [
    row(`${name}: received`, received / seconds, '1/s', { better: 'higher' }),
    row(`${name}: left out by gaps`, (after.skipped - before.skipped) / seconds, '1/s', { better: 'lower' }),
    row(`${name}: missing without a gap`, silent, '', { better: 'lower', target: 0 }),
    row(`${name}: /healthz p99`, health.percentile(P99) / 1e6, 'ms', { better: 'lower' }),
  ];
}
