import t from 'tap';
import { BenchMachine } from '../../../support/bench-machine.js';
import { writeEntry } from '../../../support/redirection-entry.js';

/** The message that a pin sends for an edge. */
function messageOf(low: number, high: number) {
  const bench = new BenchMachine();
  writeEntry(bench, 9, low, high);
  bench.setLine(9, 1);
  const messages = bench.takeEvents().filter((event) => event.kind === 'apic');
  return messages.length === 1 ? messages[0] : undefined;
}

t.test('a message carries each delivery mode as its entry has it', async (t) => {
  for (let deliveryMode = 0; deliveryMode < 8; deliveryMode++) {
    t.match(messageOf((deliveryMode << 8) | 0x61, 0), { pin: 9, deliveryMode, vector: 0x61, trigger: 0 });
  }
});

t.test('a message carries the destination, bits 63:56, and its mode', async (t) => {
  for (const destination of [0x00, 0x01, 0x0f, 0x80, 0xff]) {
    for (const destinationMode of [0, 1]) {
      const message = messageOf((destinationMode << 11) | 0x61, (destination << 24) | 0x00ab_cdef);
      t.match(message, { destination, destinationMode });
    }
  }
});

t.test('a message carries any vector, the reserved ones too', async (t) => {
  for (const vector of [0x00, 0x0f, 0x10, 0xfe, 0xff]) t.match(messageOf(vector, 0), { vector });
});

t.test('a message of a level entry says so', async (t) => {
  t.match(messageOf((1 << 15) | 0x61, 0), { trigger: 1 });
});
