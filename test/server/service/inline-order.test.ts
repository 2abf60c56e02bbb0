import t from 'tap';
import { IOAPIC, LEVEL_TRIGGERED, MASKED, writeEntry } from '../../support/guest.js';
import { TestServer } from '../../support/server.js';
import { hex, type Message, type VcpuClient } from '../../support/vcpu-client.js';

const VCPUS = 4;
const ROUNDS = 30;

const edgePin = (vcpu: number) => 4 + vcpu;
const levelPin = (vcpu: number) => 8 + vcpu;
const vectorOf = (pin: number) => 0x40 + pin;

/** A message to send, and the vectors that arrive between the reply before it and its own. */
type Step = readonly [message: object, vectors: number[]];

/** The replies and interrupts of one vCPU, as a flat list: the order is what is tested. */
function arrivals(messages: readonly Message[]): (string | number)[] {
  return messages.map(({ type, id, vector }) => (type === 'interrupt' ? vector : `${type} ${id}`));
}

const window = (value: number) => ({ address: hex(IOAPIC + 0x10), size: 4, value: hex(value) });
const select = (pin: number) => ({ address: hex(IOAPIC), size: 4, value: hex(0x10 + 2 * pin) });

/** What a vCPU can do with pins of its own while others do likewise. */
function rounds(vcpu: number): Step[] {
  const edge = vectorOf(edgePin(vcpu));
  const level = vectorOf(levelPin(vcpu));
  const line = (gsi: number, value: number) => ({ type: 'line', gsi, level: value });
  return Array.from({ length: ROUNDS }, (): Step[] => [
    [line(edgePin(vcpu), 1), [edge]],
    [{ type: 'read', address: '0xfed000f0', size: 8 }, []],
    [line(edgePin(vcpu), 1), []],
    [line(edgePin(vcpu), 0), []],
    [line(levelPin(vcpu), 1), [level]],
    [line(levelPin(vcpu), 1), []],
    [{ type: 'eoi', vector: level }, [level]],
    [line(levelPin(vcpu), 0), []],
    [{ type: 'eoi', vector: level }, []],
  ]).flat();
}

/** Only one vCPU may use the window: masked while the line is low, unmasked when it is high. */
function masking(pin: number): Step[] {
  const vector = vectorOf(pin);
  const entry = vector | LEVEL_TRIGGERED;
  return Array.from({ length: ROUNDS }, (): Step[] => [
    [
      {
        type: 'batch',
        accesses: [
          { type: 'write', ...select(pin) },
          { type: 'write', ...window(entry | MASKED) },
        ],
      },
      [],
    ],
    [{ type: 'line', gsi: pin, level: 1 }, []],
    [{ type: 'write', ...window(entry) }, [vector]],
    [{ type: 'line', gsi: pin, level: 0 }, []],
    [{ type: 'eoi', vector }, []],
    // Unmasked by the first of several accesses, of which the second is one that a thread carries out.
    [{ type: 'write', ...window(entry | MASKED) }, []],
    [{ type: 'line', gsi: pin, level: 1 }, []],
    [
      {
        type: 'batch',
        accesses: [
          { type: 'write', ...window(entry) },
          { type: 'write', address: hex(IOAPIC + 0x10), size: 8, value: hex(entry) },
          { type: 'read', address: hex(IOAPIC + 0x10), size: 4 },
          { type: 'read', address: hex(IOAPIC), size: 1 },
        ],
      },
      [vector],
    ],
    [{ type: 'line', gsi: pin, level: 0 }, []],
    [{ type: 'eoi', vector }, []],
  ]).flat();
}

async function play(client: VcpuClient, steps: readonly Step[]): Promise<(string | number)[]> {
  const before = client.received.length;
  // Half of them one by one, the others with all in flight at once.
  const half = steps.length / 2;
  for (const [message] of steps.slice(0, half)) await client.request(message);
  await Promise.all(steps.slice(half).map(([message]) => client.request(message)));
  return arrivals(client.received.slice(before));
}

for (const execution of ['auto', 'threads'] as const) {
  for (const locking of ['bql', 'lockless-timer', 'lockless-irq'] as const) {
    t.test(`interrupts come before the reply to their cause: ${execution}, ${locking}`, async (t) => {
      const server = await TestServer.start({
        execution,
        machines: [{ name: 'm', clock: 'realtime', vcpus: VCPUS, locking }],
      });
      t.teardown(server.stop);
      const clients: VcpuClient[] = [];
      for (let vcpu = 0; vcpu < VCPUS; vcpu++) clients.push(await server.connect('m', vcpu));
      for (let vcpu = 0; vcpu < VCPUS; vcpu++) {
        await writeEntry(clients[0], edgePin(vcpu), vectorOf(edgePin(vcpu)), vcpu);
        await writeEntry(clients[0], levelPin(vcpu), vectorOf(levelPin(vcpu)) | LEVEL_TRIGGERED, vcpu);
      }

      let reading = true;
      const http = (async () => {
        // On the lane of vCPU 0, beside its socket.
        for (; reading; ) await server.request('GET', '/v1/machines/m/mmio/0xfed00000?size=8');
      })();
      const steps = clients.map((_, vcpu) => (vcpu === 0 ? masking(levelPin(0)) : rounds(vcpu)));
      const firstIds = await Promise.all(
        clients.map(async (client) => (await client.request({ type: 'sync' })).id + 1),
      );
      const got = await Promise.all(clients.map((client, vcpu) => play(client, steps[vcpu])));
      reading = false;
      await http;
      for (let vcpu = 0; vcpu < VCPUS; vcpu++) {
        const wanted = steps[vcpu].flatMap(([, vectors], n) => [...vectors, `reply ${firstIds[vcpu] + n}`]);
        const first = wanted.findIndex((each, n) => each !== got[vcpu][n]);
        const differs = `at ${first}: ${got[vcpu].slice(first - 2, first + 4)}, expected ${wanted.slice(first - 2, first + 4)}`;
        t.ok(first < 0 && got[vcpu].length === wanted.length, `vCPU ${vcpu}`, first < 0 ? {} : { differs });
      }
    });
  }
}
