import t from 'tap';
import { FenceChecker } from '../../support/fences.js';

const OWNER = { a: { node: 'a', incarnation: '1' }, b: { node: 'b', incarnation: '1' } };

const record = (sequence: number, fence: number, owner: 'a' | 'b' | undefined, checkpoint = '') => ({
  stream: 'KV_southbridge-machines',
  subject: '$KV.southbridge-machines.machine.m',
  sequence,
  text: JSON.stringify({ machine: 'm', owner: owner && OWNER[owner], fence, checkpoint, orderly: false }),
});

const removed = (sequence: number) => ({ ...record(sequence, 0, 'a'), text: undefined });

const event = (sequence: number, fence: number, node: string, type: string, number: number, epoch = 'e') => ({
  stream: 'southbridge-events',
  subject: 'southbridge.m.irq',
  sequence,
  text: JSON.stringify({ type, machine: 'm', node, fence, epoch, sequence: String(number) }),
});

const HISTORIES = {
  'a failover': [record(3, 0, 'a'), record(5, 3, 'a', 'checkpoint.m.3.1'), record(9, 0, 'b', 'checkpoint.m.3.1')],
  'checkpoints after it': [record(9, 0, 'b', 'checkpoint.m.3.1'), record(11, 9, 'b', 'checkpoint.m.9.1')],
  'a migration that is refused': [record(3, 0, 'a'), record(5, 3, undefined), record(6, 0, 'a')],
  'a change that is reverted': [
    record(3, 0, 'a', ''),
    record(5, 3, 'a', 'checkpoint.m.3.2'),
    record(6, 3, 'a', 'checkpoint.m.3.1'),
  ],
  'a machine of the same name': [record(9, 0, 'b'), removed(10), record(12, 0, 'a')],
  'events of two owners': [
    event(1, 3, 'a', 'epoch', 0),
    event(2, 3, 'a', 'events', 9),
    event(3, 9, 'b', 'epoch', 0, 'f'),
  ],
  'a restored machine': [event(1, 3, 'a', 'events', 9), event(2, 3, 'a', 'epoch', 0, 'f')],
};

const VIOLATIONS = {
  'a record of an earlier owner': [record(9, 0, 'b'), record(10, 3, 'a')],
  'a second owner under one fence': [record(9, 0, 'b'), record(10, 9, 'a')],
  'an owner after its release': [record(9, 0, 'b'), record(10, 9, undefined), record(11, 9, 'b')],
  'a checkpoint of a later owner': [record(10, 3, 'a', 'checkpoint.m.9.1')],
  'an earlier checkpoint': [record(9, 3, 'a', 'checkpoint.m.3.7'), record(10, 3, 'a', 'checkpoint.m.3.4')],
  'a fence that nobody claimed': [record(9, 12, 'a')],
  'events of an earlier owner': [event(1, 9, 'b', 'epoch', 0), event(2, 3, 'a', 'events', 1)],
  'events of two nodes under one fence': [event(1, 9, 'b', 'epoch', 0), event(2, 9, 'a', 'events', 1)],
  'an owner that does not begin with its epoch': [event(1, 3, 'a', 'epoch', 0), event(2, 9, 'b', 'events', 1)],
  'an event twice': [event(1, 3, 'a', 'events', 5), event(2, 3, 'a', 'events', 4)],
};

t.test('the checker accepts what a cluster may write', async (t) => {
  for (const [name, history] of Object.entries(HISTORIES)) {
    const checker = new FenceChecker();
    for (const message of history) checker.stored(message);
    t.strictSame(checker.violations, [], name);
  }
});

t.test('the checker finds each violation', async (t) => {
  for (const [name, history] of Object.entries(VIOLATIONS)) {
    const checker = new FenceChecker();
    for (const message of history) checker.stored(message);
    t.equal(checker.violations.length, 1, name);
  }
});

t.test('frames of a client never have an earlier fence', async (t) => {
  const checker = new FenceChecker();
  for (const fence of [3, 3, 9]) checker.frame('m/0', fence);
  checker.frame('m/1', 3);
  t.strictSame(checker.violations, []);
  checker.frame('m/0', 3);
  t.equal(checker.violations.length, 1);
});
