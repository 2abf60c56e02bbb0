import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import t from 'tap';
import { RequestError, SyncVcpu, type VcpuEvent } from '../../src/client/sync/index.js';
import { CLOSE, Mailbox } from '../../src/client/sync/mailbox.js';
import {
  ENABLE,
  GENERAL_CONFIGURATION,
  IOAPIC,
  MAIN_COUNTER,
  PERIODIC,
  route,
  timerComparator,
  timerConfiguration,
  VALUE_SET,
} from '../support/guest.js';
import { CLI, Program } from '../support/program.js';
import { Random, seed } from '../support/random.js';
import { tier } from '../support/tier.js';

/** A server in another process: calls block this one. */
async function beside(t: { teardown(end: () => Promise<void>): void }, ...settings: string[]): Promise<string> {
  const program = new Program([CLI, 'serve', '--port', '0', '--log-level', 'error', ...settings]);
  t.teardown(async () => {
    program.child.kill();
    await program.exited;
  });
  const line = await program.line();
  return String(line?.match(/http:\S+/)?.[0]);
}

t.test('calls block, and deliver what arrived before they return', async (t) => {
  const url = await beside(t, '--set', 'machines.0.clock=manual');
  const seen: string[] = [];
  const onEvent = (event: VcpuEvent) => {
    seen.push(event.type === 'interrupt' ? `vector ${event.message.vector}` : event.type);
  };
  const vcpu = SyncVcpu.connect(url, 'default', 0, { onEvent });
  t.equal(vcpu.read(MAIN_COUNTER, 8), 0n);
  vcpu.write(MAIN_COUNTER, 8, 0x1_0000_0000n);
  t.equal(vcpu.read(MAIN_COUNTER, 8), 0x1_0000_0000n);
  vcpu.write(MAIN_COUNTER, 8, 0);
  vcpu.post(IOAPIC, 4, 0x14);
  vcpu.post(IOAPIC + 0x10, 4, 0x31);
  vcpu.post(timerConfiguration(0), 8, ENABLE | route(2));
  vcpu.post(timerComparator(0), 8, 100);
  vcpu.write(GENERAL_CONFIGURATION, 8, 1);
  t.same(seen, []);
  vcpu.step(10_000);
  t.same(seen, ['vector 49'], 'here when the step returns');
  t.same(
    vcpu.batch([
      { address: MAIN_COUNTER, size: 8 },
      { address: timerComparator(0), size: 8, value: 2000n },
      { address: timerComparator(0), size: 4 },
    ]),
    [1000n, undefined, 2000],
  );
  const read = { address: MAIN_COUNTER, size: 4 } as const;
  t.same(vcpu.step(5), { time: 10_005, deadline: 20_000 });
  t.same(vcpu.step(1_000_000, { toDeadline: true, read }), { time: 20_000, value: 2000 });
  t.same(seen.splice(1), ['vector 49']);
  vcpu.subscribe(['line']);
  vcpu.setInput('pit', 1);
  t.same(seen.splice(1), ['irq', 'vector 49']);
  vcpu.subscribe([]);
  const many = vcpu.batch(Array.from({ length: 10_000 }, () => ({ address: timerComparator(0), size: 4 })));
  t.ok(many.length === 10_000 && many.every((value) => value === 2000), 'longer than one frame may be');

  t.throws(() => vcpu.read(0x1000, 4), { code: 'address-unassigned' });
  t.equal(vcpu.read(timerComparator(0), 4), 2000, 'a refusal spoils nothing');
  for (let count = 0; count < 1000; count++) vcpu.post(timerComparator(1), 4, count);
  t.equal(vcpu.read(timerComparator(1), 4), 999, 'a call is a fence for what was posted');
  vcpu.post(0x1000, 4, 1);
  t.throws(
    () => {
      for (;;) vcpu.sync();
    },
    { code: 'address-unassigned' },
  );
  t.equal(vcpu.read(timerComparator(1), 4), 999);
  t.equal(vcpu.portRead(0x21), 0);
  t.equal(vcpu.waitForEvent(10), false);
  vcpu.close();
  t.throws(() => vcpu.sync(), { code: 'connection-closed' });
});

t.test('a vCPU that halts is woken by an interrupt of another, or of a timer', async (t) => {
  const url = await beside(t);
  const events: VcpuEvent[] = [];
  const vcpu = SyncVcpu.connect(url, 'default', 0, { onEvent: (event) => events.push(event) });
  vcpu.write(IOAPIC, 4, 0x14);
  vcpu.write(IOAPIC + 0x10, 4, 0x31);
  vcpu.write(timerConfiguration(0), 8, ENABLE | route(2));
  vcpu.write(GENERAL_CONFIGURATION, 8, 1);
  vcpu.write(timerComparator(0), 8, vcpu.read(MAIN_COUNTER, 8) + 100_000n);
  while (events.length === 0) vcpu.waitForEvent(1000);
  t.match(events, [{ type: 'interrupt', message: { vector: 0x31 } }]);
  t.throws(() => SyncVcpu.connect(url, 'default', 0), RequestError, 'the vCPU is taken');
  t.throws(() => SyncVcpu.connect('http://127.0.0.1:1', 'default', 0), { code: 'connection-refused' });
  vcpu.close();
});

/** A timer that interrupts vCPU 0 every `ticks` of 10 ns: three events each, of which the second is the interrupt. */
function startTimer(vcpu: SyncVcpu, ticks: number): void {
  vcpu.write(IOAPIC, 4, 0x14);
  vcpu.write(IOAPIC + 0x10, 4, 0x31);
  vcpu.write(timerConfiguration(0), 8, ENABLE | PERIODIC | VALUE_SET | route(2));
  vcpu.write(timerComparator(0), 8, ticks);
  vcpu.write(timerComparator(0), 8, ticks);
  vcpu.write(GENERAL_CONFIGURATION, 8, 1);
}

/** Sequence numbers that are not where they have to be. */
function misplaced(sequences: readonly number[]): number[] {
  return sequences.filter((sequence, index) => sequence !== 3 * index + 2);
}

/**
 * Interrupts of a timer that was turned off. The last ones may have come from the main loop right before, and still be on the
 * way to the client; a snapshot is made behind all events.
 */
async function interruptsOf(url: string): Promise<number> {
  await (await fetch(`${url}/v1/machines/default/snapshot`)).text();
  const { sequence } = (await (await fetch(`${url}/v1/machines/default`)).json()) as { sequence: string };
  return Math.floor((Number(sequence) + 1) / 3);
}

/** Waits of a ms within which each event that was sent arrives. */
const LAST_WAITS = 5000;

t.test('every interrupt is delivered once, whatever the caller does', async (t) => {
  const url = await beside(t);
  const random = new Random(seed());
  t.comment(`seed ${random.seed}`);
  const sequences: number[] = [];
  let depth = 0;
  const vcpu = SyncVcpu.connect(url, 'default', 0, {
    onEvent: (event) => {
      if (event.type !== 'interrupt') throw new Error(`an event of type ${event.type}`);
      sequences.push(event.sequence);
      const what = random.below(20);
      if (what === 0) throw new Error('on purpose');
      if (what < 3 && depth < 3) {
        depth++;
        try {
          operate(what);
        } finally {
          depth--;
        }
      }
    },
  });
  let wrong = 0;
  const operate = (what: number) => {
    if (what === 0) vcpu.poll();
    else if (what === 1 && vcpu.read(timerConfiguration(0), 4) === 0) wrong++;
    else if (what === 2) vcpu.post(timerComparator(1), 4, random.below(1000));
    else if (what === 3)
      vcpu.batch([
        { address: timerComparator(1), size: 4 },
        { address: IOAPIC, size: 4 },
      ]);
    else if (what === 4) vcpu.sync();
    else vcpu.waitForEvent(what < 8 ? 0 : random.below(3));
  };
  const attempt = (what: number) => {
    try {
      operate(what);
    } catch (error) {
      if ((error as Error).message !== 'on purpose') throw error;
    }
  };
  startTimer(vcpu, 50_000);
  while (sequences.length < 2000) attempt(random.below(20));
  t.same(misplaced(sequences), []);
  t.equal(wrong, 0, 'each reply reaches the call that it belongs to');
  for (let stopped = false; !stopped; ) {
    try {
      vcpu.write(GENERAL_CONFIGURATION, 8, 0);
      stopped = true;
    } catch (error) {
      // The event before the reply.
      if ((error as Error).message !== 'on purpose') throw error;
    }
  }
  const all = await interruptsOf(url);
  for (let waits = 0; sequences.length < all && waits < LAST_WAITS; waits++) attempt(19);
  vcpu.close();
  for (let left = true; left; ) {
    try {
      vcpu.poll();
    } catch (error) {
      left = (error as Error).message === 'on purpose';
      if (!left) t.match(error, { code: 'connection-closed' });
    }
  }
  t.equal(sequences.length, all, 'to the last one');
});

const { waitSeconds } = tier;

t.test(
  `waitForEvent(2) at 300 Hz for ${waitSeconds} s loses no interrupt`,
  { skip: waitSeconds === 0 && 'in tiers ci and long' },
  async (t) => {
    const url = await beside(t);
    const events: VcpuEvent[] = [];
    const vcpu = SyncVcpu.connect(url, 'default', 0, { onEvent: (event) => events.push(event) });
    startTimer(vcpu, 333_333);
    while (events.length < 300 * waitSeconds) vcpu.waitForEvent(2);
    vcpu.write(GENERAL_CONFIGURATION, 8, 0);
    const all = await interruptsOf(url);
    for (let waits = 0; events.length < all && waits < LAST_WAITS; waits++) vcpu.waitForEvent(1);
    t.same(misplaced(events.map((event) => (event.type === 'interrupt' ? event.sequence : 0))), []);
    t.equal(events.length, all, 'to the last one');
    vcpu.close();
  },
);

t.test('poll() reads shared memory only, and a caller that does not call gets all or a gap', async (t) => {
  const room = ['--set', 'limits.pendingInterrupts=65536'];
  const url = await beside(t, '--set', 'machines.0.clock=manual', ...room);
  const events: VcpuEvent[] = [];
  const vcpu = SyncVcpu.connect(url, 'default', 0, { onEvent: (event) => events.push(event), eventLimit: 10 });
  const other = SyncVcpu.connect(url, 'default', 1);
  startTimer(other, 100);
  const STEPS = 20;
  for (let step = 0; step < STEPS; step++) other.step(1_000_000);
  other.close();
  while (events.length < 1000 * STEPS) vcpu.waitForEvent(1000);
  t.same(misplaced(events.map((event) => (event.type === 'interrupt' ? event.sequence : 0))), []);
  vcpu.close();
  t.throws(() => vcpu.poll(), { code: 'connection-closed' });
});

t.test('the thread that has the socket ends as the client does', async (t) => {
  const url = await beside(t);
  for (const machine of ['default', 'none']) {
    const mailbox = new Mailbox();
    const { buffer } = mailbox;
    const workerData = { buffer, url, machine, vcpu: 0, eventLimit: 1, waitingRequests: 1 };
    const thread = new Worker(new URL('../../src/client/sync/socket-thread.js', import.meta.url), {
      workerData,
      execArgv: [],
    });
    if (machine === 'default') {
      while (!mailbox.take()) await sleep(1);
      mailbox.request(CLOSE, 0, new Uint8Array(), 0);
    }
    // 13: it had nothing left to do but wait for something that does not come.
    t.strictSame(await once(thread, 'exit'), [0]);
  }
});
