import t from 'tap';
import { BenchMachine } from '../../../support/bench-machine.js';
import {
  acknowledge,
  comparatorOf,
  configurationOf,
  fsbRouteOf,
  oneShot,
  turnOn,
} from '../../../support/hpet-registers.js';
import { type Access, assertBits, type RegisterTable } from './bits.js';

/** IA-PC HPET 1.0a, for an HPET of 24 timers that can be routed to the lines 0 to 23. */
const ROUTES = 0x00ff_ffffn;
const TIMERS = 24;

const open =
  (offset: number, msi = true) =>
  (): Access => {
    const bench = new BenchMachine({
      profile: 'datasheet',
      hpet: { timers: TIMERS, msi, routingCapability: Number(ROUTES) },
    });
    return { read: () => bench.readHpet(offset), write: (value) => bench.writeHpet(offset, value) };
  };

const CAPABILITIES: RegisterTable = {
  section: '2.3.4',
  name: 'General Capabilities and ID',
  bits: 64,
  fields: [
    [63, 32, 'COUNTER_CLK_PERIOD', 10_000_000n],
    [31, 16, 'VENDOR_ID', 0x8086n],
    [15, 15, 'LEG_RT_CAP', 1],
    [14, 14, 'reserved', 0],
    [13, 13, 'COUNT_SIZE_CAP', 1],
    [12, 8, 'NUM_TIM_CAP', 23n],
    [7, 0, 'REV_ID', 1n],
  ],
};
assertBits(CAPABILITIES, open(0x000));

assertBits(
  {
    section: '2.3.5',
    name: 'General Configuration',
    bits: 64,
    fields: [
      [63, 2, 'reserved', 0],
      [1, 1, 'LEG_RT_CNF', 'rw'],
      [0, 0, 'ENABLE_CNF', 'rw'],
    ],
  },
  open(0x010),
);

/** Writing 1 to a status bit cannot set it. */
assertBits(
  { section: '2.3.6', name: 'General Interrupt Status', bits: 64, fields: [[63, 0, 'Tn_INT_STS', 0]] },
  open(0x020),
);

assertBits(
  { section: '2.3.7', name: 'Main Counter Value', bits: 64, fields: [[63, 0, 'MAIN_COUNTER_VAL', 'rw']] },
  open(0x0f0),
);

for (const msi of [true, false]) {
  assertBits(
    {
      section: '2.3.8',
      name: `Timer n Configuration and Capability, ${msi ? 'with' : 'without'} FSB delivery`,
      bits: 64,
      fields: [
        [63, 32, 'Tn_INT_ROUTE_CAP', ROUTES],
        [31, 16, 'reserved', 0],
        [15, 15, 'Tn_FSB_INT_DEL_CAP', msi ? 1 : 0],
        [14, 14, 'Tn_FSB_EN_CNF', msi ? 'rw' : 0],
        [13, 9, 'Tn_INT_ROUTE_CNF', 'rw'],
        [8, 8, 'Tn_32MODE_CNF', 'rw'],
        [7, 7, 'reserved', 0],
        [6, 6, 'Tn_VAL_SET_CNF', 'rw'],
        [5, 5, 'Tn_SIZE_CAP', 1],
        [4, 4, 'Tn_PER_INT_CAP', 1],
        [3, 3, 'Tn_TYPE_CNF', 'rw'],
        [2, 2, 'Tn_INT_ENB_CNF', 'rw'],
        [1, 1, 'Tn_INT_TYPE_CNF', 'rw'],
        [0, 0, 'reserved', 0],
      ],
    },
    open(configurationOf(5), msi),
  );
}

assertBits(
  { section: '2.3.9', name: 'Timer n Comparator Value', bits: 64, fields: [[63, 0, 'Tn_VAL', 'rw']] },
  open(comparatorOf(5)),
);

assertBits(
  {
    section: '2.3.10',
    name: 'Timer n FSB Interrupt Route',
    bits: 64,
    fields: [
      [63, 32, 'Tn_FSB_INT_ADDR', 'rw'],
      [31, 0, 'Tn_FSB_INT_VAL', 'rw'],
    ],
  },
  open(fsbRouteOf(5)),
);

t.test('2.3.6 each status bit is that of its timer, and cleared by writing 1 to it alone', async (t) => {
  for (let timer = 0; timer < TIMERS; timer++) {
    const bench = new BenchMachine({ profile: 'datasheet', hpet: { timers: TIMERS } });
    for (const other of [timer, (timer + 1) % TIMERS]) oneShot(bench, other, other, 100, 1 << 1);
    turnOn(bench);
    bench.advance(1_000);
    const both = (1n << BigInt(timer)) | (1n << BigInt((timer + 1) % TIMERS));
    const set = bench.readHpet(0x020);
    acknowledge(bench, timer);
    t.same(
      [set, bench.readHpet(0x020)],
      [both, both & ~(1n << BigInt(timer))],
      `2.3.6, General Interrupt Status bit ${timer}, T${timer}_INT_STS`,
    );
  }
});

t.test('2.3.8 each route that a timer supports is taken, and no other', async (t) => {
  for (let route = 0; route < 32; route++) {
    const bench = new BenchMachine({ profile: 'datasheet', hpet: { routingCapability: 0x00f0_0104 } });
    bench.writeHpet(configurationOf(0), 20 << 9);
    bench.writeHpet(configurationOf(0), route << 9);
    const supported = (0x00f0_0104 >> route) & 1;
    const taken = Number(bench.readHpet(configurationOf(0)) >> 9n) & 0x1f;
    t.equal(taken, supported ? route : 20, `2.3.8, Tn_INT_ROUTE_CNF ${route}: ${supported ? '' : 'not '}supported`);
  }
});
