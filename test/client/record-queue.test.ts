import { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import t from 'tap';
import { Arrivals } from '../../src/client/sync/arrivals.js';
import { EVENT, FRAME, INBOX_ROOM, Mailbox } from '../../src/client/sync/mailbox.js';
import { POSITION_WORDS, RecordQueue } from '../../src/client/sync/record-queue.js';

const POSITIONS = 4 * POSITION_WORDS;

function body(id: number, length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => id + index);
}

t.test('records come out as they went in, whatever their sizes and however the two sides take turns', async (t) => {
  const step = fc.oneof({ weight: 2, arbitrary: fc.nat(200) }, fc.constantFrom('flush' as const, 'take' as const));
  fc.assert(
    fc.property(fc.constantFrom(16, 64, 256), fc.array(step, { maxLength: 200 }), (capacity, steps) => {
      const buffer = new SharedArrayBuffer(POSITIONS + capacity);
      const writer = new RecordQueue(buffer, 0, POSITIONS, capacity);
      const reader = new RecordQueue(buffer, 0, POSITIONS, capacity);
      const sent: { kind: number; id: number; body: Uint8Array }[] = [];
      const taken: typeof sent = [];
      const take = () => {
        const record = reader.take();
        if (record) taken.push(record);
        return record !== undefined;
      };
      for (const each of steps) {
        if (each === 'flush') writer.flush();
        else if (each === 'take') take();
        else {
          const record = { kind: sent.length % 3, id: sent.length, body: body(sent.length, each) };
          if (writer.push(record.kind, record.id, record.body)) sent.push(record);
        }
      }
      while (!writer.flush()) take();
      while (take());
      t.strictSame(taken, sent);
    }),
  );
});

t.test('nothing is lost between two threads, in a queue that is far too small', async (t) => {
  const COUNT = 20_000;
  const capacity = 64;
  const buffer = new SharedArrayBuffer(POSITIONS + capacity);
  const url = new URL('../../src/client/sync/record-queue.js', import.meta.url);
  const code = `
    const { workerData } = require('node:worker_threads');
    import(${JSON.stringify(url.href)}).then(({ RecordQueue }) => {
      const { buffer, capacity, count } = workerData;
      const queue = new RecordQueue(buffer, 0, ${POSITIONS}, capacity);
      for (let id = 0; id < count; id++) {
        const body = new Uint8Array(id % 40).fill(id);
        while (!queue.hasRoomFor(body)) queue.awaitRoom(body, 1000);
        queue.push(id % 3, id, body);
      }
    });`;
  const worker = new Worker(code, { eval: true, workerData: { buffer, capacity, count: COUNT }, execArgv: [] });
  t.teardown(() => worker.terminate());
  const queue = new RecordQueue(buffer, 0, POSITIONS, capacity);
  let wrong = 0;
  for (let id = 0; id < COUNT; ) {
    const record = queue.take();
    queue.wakeWriter();
    if (!record) queue.awaitRecord(1000);
    else {
      const isRight = record.id === id && record.kind === id % 3 && record.body.length === id % 40;
      if (!isRight || record.body.some((byte) => byte !== id % 256)) wrong++;
      id++;
    }
  }
  t.equal(wrong, 0);
});

t.test('events beyond the limit become gaps that name each of them, replies are kept', async (t) => {
  const mailbox = new Mailbox();
  const arrivals = new Arrivals(mailbox, 3);
  const caller = new Mailbox(mailbox.buffer);
  const taken: unknown[] = [];
  const take = () => {
    const record = caller.take();
    if (!record) return false;
    const { kind, body } = record;
    if (kind === FRAME || kind === EVENT) taken.push(body.length > 4 ? 'filler' : body[0]);
    else taken.push(JSON.parse(new TextDecoder().decode(body)));
    return true;
  };
  const event = (sequence: number, type = 'interrupt', more = {}) =>
    arrivals.event(Uint8Array.of(sequence), { type, sequence, ...more } as never);
  const seen = mailbox.bell;
  arrivals.frame(new Uint8Array(INBOX_ROOM));
  for (const sequence of [1, 2, 3, 4]) event(sequence);
  event(5, 'intr', { level: 1 });
  event(6, 'gap', { from: 6, to: 8, lines: { hpet: 2, external: 0 } });
  arrivals.frame(Uint8Array.of(100));
  event(9, 'intr', { level: 0 });
  event(10);
  t.not(take(), true, 'the rest of the filler waits for room');
  t.not(mailbox.bell, seen, 'the caller says that there is room');
  arrivals.flush();
  while (take());
  event(11);
  while (take());
  t.strictSame(taken, [
    'filler',
    1,
    2,
    3,
    { type: 'gap', from: 4, to: 8, lines: { hpet: 2, external: 0 } },
    { type: 'intr', sequence: 8, level: 1 },
    100,
    { type: 'gap', from: 9, to: 10 },
    { type: 'intr', sequence: 10, level: 0 },
    11,
  ]);
});

t.test('each event that the caller takes counts once, also one that it takes in this moment', async (t) => {
  /** The caller takes one more event whenever the other thread has looked how many. */
  class BusyMailbox extends Mailbox {
    override get taken(): number {
      const { taken } = this.inboxed;
      if (this.inboxed.taken < this.inboxed.arrived) this.inboxed.taken++;
      return taken;
    }
    readonly inboxed = { arrived: 0, taken: 0 };
  }
  const mailbox = new BusyMailbox();
  const arrivals = new Arrivals(mailbox, 100);
  const taken: number[] = [];
  for (let sequence = 1; sequence <= 20; sequence++) {
    arrivals.event(Uint8Array.of(sequence), { type: 'intr', sequence, level: 1 });
    mailbox.inboxed.arrived++;
    if (sequence % 3 === 0)
      for (const event of arrivals.takenSince()) taken.push('sequence' in event ? event.sequence : 0);
  }
  for (let look = 0; look < 20; look++)
    for (const event of arrivals.takenSince()) taken.push((event as { sequence: number }).sequence);
  t.strictSame(
    taken,
    Array.from({ length: 20 }, (_, index) => index + 1),
  );
  t.notOk(arrivals.hasUntaken);
});
