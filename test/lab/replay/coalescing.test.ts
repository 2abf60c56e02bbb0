import t from 'tap';
import { isCoalesced } from '../../../src/lab/replay/coalescing.js';
import type { Output, Step } from '../../../src/lab/replay/trace.js';

const enable: Step = { op: 'write', address: 0xfed0_0010, size: 4, value: 3n };
const line = (number: number, level: number): Output => ({ out: 'irq', line: number, level });
const message = (vector: number, trigger_mode: number): Output => ({
  out: 'apic',
  dest: 1,
  dest_mode: 0,
  delivery_mode: 0,
  vector,
  trigger_mode,
});
const msi: Output = { out: 'msi', addr: 0xfee0_0000, data: 0x30 };

t.test('what may be left out', async (t) => {
  const both = [line(0, 1), line(18, 1), line(0, 0), line(18, 0)];
  t.ok(isCoalesced(enable, both, [line(18, 1), line(18, 0)]), 'a pulse of one line');
  t.ok(isCoalesced(enable, both, []), 'pulses of two lines');
  t.ok(isCoalesced(enable, [line(0, 0), line(0, 1), msi], [msi]), 'a dip');
  t.ok(isCoalesced(enable, [line(0, 1), line(0, 0), line(0, 1)], [line(0, 1)]), 'all but the last change');
  t.ok(isCoalesced(enable, [message(0x30, 0), message(0x31, 0)], [message(0x31, 0)]), 'an edge-triggered message');
});

t.test('what may not', async (t) => {
  t.notOk(isCoalesced(enable, [line(0, 1), line(0, 0)], [line(0, 1)]), 'half a pair');
  t.notOk(isCoalesced(enable, [line(0, 1), line(1, 0)], []), 'changes of two lines');
  t.notOk(
    isCoalesced(enable, [line(0, 1), line(0, 0), line(0, 1), line(0, 0)], [line(0, 0), line(0, 1)]),
    'a pair whose lack leaves the line at another level',
  );
  t.notOk(isCoalesced(enable, [line(0, 1), line(0, 0), msi], []), 'an MSI');
  t.notOk(isCoalesced(enable, [message(0x30, 1)], []), 'the message of a level-triggered pin');
  t.notOk(isCoalesced(enable, [line(0, 1), line(0, 0)], [line(1, 1)]), 'an output in place of others');
  t.notOk(isCoalesced(enable, [], [line(0, 1), line(0, 0)]), 'outputs that are too many');
  t.notOk(
    isCoalesced(enable, [msi, message(0x30, 0), message(0x31, 0)], [message(0x31, 0), msi]),
    'outputs in another order',
  );
  const others: Step[] = [
    { ...enable, address: 0xfed0_0020 },
    { op: 'read', address: 0xfed0_0010, size: 4, value: 3n },
    { op: 'clock_step', ns: 100 },
    { op: 'set_irq', pin: 0, level: 1 },
  ];
  for (const step of others) t.notOk(isCoalesced(step, [line(0, 1), line(0, 0)], []), `anything, of a ${step.op}`);
});
