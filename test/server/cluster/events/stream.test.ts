import t from 'tap';
import { BATCH, EventPublisher } from '../../../../src/server/cluster/events/event-publisher.js';
import { readEvents } from '../../../../src/server/cluster/events/event-reader.js';
import { decodeRecord, type EventRecord } from '../../../../src/server/cluster/events/records.js';
import { Conflict } from '../../../../src/server/cluster/store.js';
import type { ClusterEvent, EventPosition } from '../../../../src/server/service/cluster-port.js';
import type { IrqEvent } from '../../../../src/server/service/irq-event.js';
import { linesAfter } from '../../../../src/server/service/lines.js';
import { MachineEvents } from '../../../../src/server/service/machine-events.js';
import { DELETED, MOVED } from '../../../../src/server/service/vcpu.js';
import fc from '../../../support/properties.js';
import { Random } from '../../../support/random.js';
import { SimulatedLog } from '../../../support/simulated-log.js';
import { tier } from '../../../support/tier.js';
import { Process, World } from '../simulation/world.js';

const HOUR = 3_600_000;

/** A machine on a node, with random changes of its external lines. */
class Owner {
  readonly events = new MachineEvents([]);
  readonly publisher: EventPublisher;
  readonly process: Process;
  isLost = false;
  mayPublish = true;
  missed = 0;
  /** Where it began. */
  readonly began: number;

  constructor(
    readonly world: World,
    readonly log: SimulatedLog,
    readonly fence: number,
    before?: Owner,
    isOrderly = false,
  ) {
    this.process = new Process(world, 1);
    this.publisher = new EventPublisher(this.events, () => {});
    if (before) {
      const { sequence, lines, origin } = before.events;
      Object.assign(this.events, { sequence: isOrderly ? sequence : sequence + 1000, lines });
      if (isOrderly) this.events.origin = origin;
      else this.events.begin(sequence, 0);
    }
    this.began = this.events.sequence;
  }

  begin(): void {
    this.publisher.begin({
      log: this.log,
      clock: this.process,
      machine: 'm',
      node: `n${this.fence}`,
      keptMs: HOUR,
      fence: () => this.fence,
      mayPublish: () => this.mayPublish,
      lost: () => {
        this.isLost = true;
      },
      missed: (events) => {
        this.missed += events;
      },
    });
  }

  emit(count: number): void {
    for (let n = 0; n < count; n++) {
      const gsi = this.world.random.below(24);
      const level = 1 - ((this.events.lines.external >>> gsi) & 1);
      const sequence = ++this.events.sequence;
      const event = { kind: 'line', gsi, level, source: 'external' } as const;
      const wire = { type: 'irq', sequence, cause: 'external', virtualTime: 0, wallTime: 0, event } as const;
      this.events.lines = linesAfter(this.events.lines, wire as unknown as IrqEvent['wire']);
      const irq = { kind: 'line', sequence, wire, message: undefined, intr: undefined } as unknown as IrqEvent;
      for (const subscriber of this.events.subscribers) subscriber.event(irq);
    }
  }

  end(deleted = false): void {
    for (const subscriber of this.events.subscribers) subscriber.ended(deleted ? DELETED : MOVED);
  }
}

function recordsOf(log: SimulatedLog): EventRecord[] {
  return log.records.map(({ data }) => decodeRecord(data));
}

/** What is wrong with a stream: numbers are continuous from an epoch record on, and fences do not go back. */
function* faults(records: readonly EventRecord[]): Generator<string> {
  let last: EventRecord | undefined;
  for (const record of records) {
    if (last && record.fence < last.fence) yield `fence ${record.fence} follows ${last.fence}`;
    if (record.type !== 'epoch' && (record.fence !== last?.fence || record.epoch !== last?.epoch))
      yield `${record.type} of fence ${record.fence} is not behind its epoch record`;
    let at = last?.sequence ?? 0;
    let lines = last?.lines.external ?? 0;
    if (record.type === 'events') {
      if (record.events.length > BATCH) yield `${record.events.length} events in a record`;
      for (const { sequence, gsi = 0, level } of record.events) {
        if (Number(sequence) !== ++at) yield `event ${sequence} is where ${at} belongs`;
        lines = (level ? lines | (1 << gsi) : lines & ~(1 << gsi)) >>> 0;
      }
      if (record.sequence !== at || record.lines.external !== lines) yield `the record of event ${at} ends elsewhere`;
    }
    if (record.type === 'gap' && (record.from !== at + 1 || record.missed !== record.sequence - at))
      yield `a gap from ${record.from} of ${record.missed} follows ${at}`;
    last = record;
  }
}

type Step = readonly ['emit' | 'wait' | 'delay' | 'restore' | 'down' | 'fail' | 'move', number];

const steps = fc.array(
  fc.oneof(
    { weight: 8, arbitrary: fc.tuple(fc.constant('emit' as const), fc.integer({ min: 1, max: 300 })) },
    { weight: 2, arbitrary: fc.tuple(fc.constant('emit' as const), fc.integer({ min: 4000, max: 9000 })) },
    { weight: 6, arbitrary: fc.tuple(fc.constantFrom('wait' as const), fc.integer({ min: 1, max: 60 })) },
    { weight: 2, arbitrary: fc.tuple(fc.constantFrom('delay' as const), fc.integer({ min: 1, max: 40 })) },
    {
      weight: 3,
      arbitrary: fc.tuple(fc.constantFrom('restore', 'down', 'fail', 'move'), fc.integer({ max: 80, min: 1 })),
    },
  ),
  { maxLength: 25 },
) as fc.Arbitrary<Step[]>;

/** Runs owners of one machine, one after the other; returns the last one. */
async function play(world: World, log: SimulatedLog, script: readonly Step[]): Promise<Owner[]> {
  const owners = [new Owner(world, log, 10)];
  owners[0].begin();
  const wait = (ms: number) => world.run(world.now + ms);
  for (const [step, n] of script) {
    const owner = owners[owners.length - 1];
    if (step === 'emit') owner.emit(n);
    else if (step === 'wait') await wait(n);
    else if (step === 'delay') log.delay = n;
    else if (step === 'restore') owner.events.restored(owner.events.sequence, 0);
    else if (step === 'down') {
      log.isDown = true;
      await wait(50 * n);
      log.isDown = false;
    } else {
      // The owner before goes on as if it knew nothing of it, unless it released the machine.
      const next = new Owner(world, log, owner.fence + n, owner, step === 'move');
      if (step === 'move') {
        const flushed = owner.publisher.flush();
        await wait(n);
        owner.end();
        void flushed;
      }
      owners.push(next);
      next.emit(n % 3);
      next.begin();
      if (step === 'fail') owner.emit(n);
    }
  }
  log.loss = 0;
  log.delay = 1;
  await wait(30_000);
  return owners;
}

t.test('a stream has every event of its owners in order, or says how many are missing', async (t) => {
  await fc.assert(
    fc.asyncProperty(steps, fc.nat(), fc.constantFrom(0, 0.1, 0.4), async (script, seed, loss) => {
      const world = new World(new Random(seed));
      const log = new SimulatedLog(world);
      log.loss = loss;
      const owners = await play(world, log, script);
      const records = recordsOf(log);
      t.strictSame([...faults(records)], []);
      const owner = owners[owners.length - 1];
      const last = records[records.length - 1];
      t.equal(last.fence, owner.fence);
      t.equal(last.epoch, owner.events.origin.epoch);
      t.equal(last.sequence, owner.events.sequence, 'up to the last event');
      t.strictSame(last.lines, owner.events.lines);
      if (owners.length === 1) t.equal(log.mostInFlight, 1);
      const gaps = records.flatMap((record) => (record.type === 'gap' && record.fence === owner.fence ? record : []));
      const restores = script.length;
      const missed = gaps.reduce((sum, gap) => sum + gap.missed, 0);
      t.ok(missed >= owner.missed && missed <= owner.missed + restores, `${missed} of ${owner.missed} are named`);
    }),
    { numRuns: tier.logRuns },
  );
});

t.test('an owner that was superseded learns it by its next record', async (t) => {
  const world = new World(new Random(1));
  const log = new SimulatedLog(world);
  const old = new Owner(world, log, 5);
  old.begin();
  old.emit(3);
  await world.run(100);
  const next = new Owner(world, log, 9, old);
  next.begin();
  await world.run(200);
  t.notOk(old.isLost);
  old.emit(1);
  await world.run(300);
  t.ok(old.isLost);
  t.notOk(next.isLost);
  t.strictSame(
    recordsOf(log).map(({ fence }) => fence),
    [5, 5, 9],
  );
});

t.test('a stream that refuses a record and does not say why is asked again after a pause', async (t) => {
  const world = new World(new Random(1));
  const log = new SimulatedLog(world);
  let tries = 0;
  log.append = async () => {
    tries++;
    throw new Conflict('m');
  };
  log.last = async () => {
    await new Promise(setImmediate);
    throw new Error('the connection has ended');
  };
  const owner = new Owner(world, log, 5);
  owner.begin();
  // The clock stands still.
  for (let turn = 0; turn < 100; turn++) await new Promise(setImmediate);
  t.equal(tries, 1);
  await world.run(1000);
  t.ok(tries > 1, `${tries} tries in a second`);
  owner.mayPublish = false;
});

t.test('without a lease nothing is published', async (t) => {
  const world = new World(new Random(1));
  const log = new SimulatedLog(world);
  const owner = new Owner(world, log, 5);
  owner.begin();
  await world.run(100);
  owner.mayPublish = false;
  owner.emit(200);
  await world.run(1000);
  t.equal(log.records.length, 1);
});

t.test('the last record of a quiet machine is renewed before it is too old', async (t) => {
  const world = new World(new Random(1));
  const log = new SimulatedLog(world);
  const owner = new Owner(world, log, 5);
  owner.begin();
  owner.emit(1);
  await world.run(2 * HOUR);
  const records = recordsOf(log);
  t.ok(records.length > 3 && records.length < 12, `${records.length} records`);
  t.strictSame([...faults(records)], []);
  owner.end(true);
  await world.run(2 * HOUR + 1000);
  t.equal(recordsOf(log).at(-1)?.type, 'end');
});

/** All that a reader gets of a stream as it is. */
async function readAll(log: SimulatedLog, world: World, after?: EventPosition): Promise<ClusterEvent[]> {
  const all: ClusterEvent[] = [];
  const reading = (async () => {
    for await (const event of readEvents(log, 'm', after, new AbortController().signal)) all.push(event);
  })();
  await world.run(world.now + 100);
  await reading;
  return all;
}

t.test('a reader gets every event after its position, or a gap', async (t) => {
  await fc.assert(
    fc.asyncProperty(steps, fc.nat(), fc.nat(), fc.nat(5), async (script, seed, pick, cut) => {
      const world = new World(new Random(seed));
      const log = new SimulatedLog(world);
      await play(world, log, script);
      const whole = recordsOf(log);
      // Old records are gone.
      log.records.splice(0, Math.min(cut, log.records.length - 1));
      const places = whole.flatMap((record) => {
        const { epoch, sequence } = record;
        const events = record.type === 'events' ? record.events.map((event) => Number(event.sequence)) : [sequence];
        return events.map((number) => ({ epoch, sequence: number }));
      });
      const after = places[pick % places.length];
      const last = whole[whole.length - 1];
      const [hello, ...rest] = await readAll(log, world, after);
      t.match(hello, { type: 'hello', epoch: last.epoch, sequence: last.sequence, lines: last.lines });
      let at = after.sequence;
      let epoch = after.epoch;
      for (const event of rest) {
        if (event.type === 'gap') {
          t.ok(
            event.from === at + 1 || (event.epoch !== epoch && event.from <= 1),
            `a gap from ${event.from} at ${at}`,
          );
          at = event.to;
          epoch = event.epoch;
        } else if (event.type === 'irq') {
          at++;
          if (event.epoch !== epoch || event.sequence !== at) t.fail(`event ${event.sequence} is where ${at} belongs`);
        }
      }
      t.equal(at, last.sequence);
      t.equal(epoch, last.epoch);
      const kept = new Set(recordsOf(log).flatMap((r) => (r.type === 'events' ? r.events.map((e) => e.sequence) : [])));
      const isKept = recordsOf(log).some((record) => record.epoch === after.epoch);
      const got = rest.filter(({ type }) => type === 'irq').length;
      const wanted = [...kept].filter((sequence) => Number(sequence) > after.sequence).length;
      t.equal(got, isKept ? wanted : 0, 'all that are kept');
    }),
    { numRuns: tier.logRuns },
  );
});

t.test('a reader of positions that do not exist gets a gap over all events', async (t) => {
  const world = new World(new Random(1));
  const log = new SimulatedLog(world);
  const owner = new Owner(world, log, 5);
  owner.begin();
  owner.emit(70);
  await world.run(100);
  const lines = owner.events.lines;
  for (const after of [
    { epoch: 'other', sequence: 3 },
    { epoch: undefined, sequence: 71 },
    { epoch: owner.events.origin.epoch, sequence: 400 },
  ]) {
    const [, ...rest] = await readAll(log, world, after);
    t.match(rest, [{ type: 'gap', from: 1, to: 70, lines }]);
  }
  t.equal((await readAll(log, world)).length, 1, 'without a position only new events');
  t.equal((await readAll(log, world, { epoch: undefined, sequence: 70 })).length, 1);
  t.equal((await readAll(log, world, { epoch: undefined, sequence: 60 })).length, 11);
});
