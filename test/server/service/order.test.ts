import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import t from 'tap';
import { WebSocket } from 'ws';
import { HPET_BASE } from '../../../src/core/devices/guest-map.js';
import { PRESET_NAMES } from '../../../src/core/locking/presets.js';
import { classOfPreset } from '../../../src/core/locking/verdicts.js';
import { headOf } from '../../../src/protocol/protobuf/answers.js';
import { clientFrame } from '../../../src/protocol/protobuf/requests.js';
import {
  ENABLE,
  GENERAL_CONFIGURATION,
  LEVEL_TRIGGERED,
  MASKED,
  route,
  timerComparator,
  timerConfiguration,
  timerFsbRoute,
  writeEntry,
} from '../../support/guest.js';
import { Random, seed } from '../../support/random.js';
import { TestServer } from '../../support/server.js';
import { tier } from '../../support/tier.js';
import { hex, type Message, type VcpuClient } from '../../support/vcpu-client.js';

const SOCKETS = 4;
/** Operations in flight at a time. */
const WINDOW = 32;

const edgePin = (vcpu: number) => 4 + vcpu;
const levelPin = (vcpu: number) => 8 + vcpu;
const crossPin = (vcpu: number) => 12 + vcpu;
const timerPin = (vcpu: number) => 16 + vcpu;
const vectorOf = (pin: number) => 0x40 + pin;

/**
 * One vCPU with a model of the pins that only it touches: it knows which interrupts must come between two replies. The
 * checks are made on the order in which messages arrive, so nothing depends on when they do.
 */
class ModelledVcpu {
  readonly errors: string[] = [];
  /** Interrupts that this vCPU caused at its neighbour. */
  sentAcross = 0;
  receivedAcross = 0;
  #id = 0;
  #edge = 0;
  #level = 0;
  #remoteIrr = false;
  #stored = 0;
  #sequence = -1n;
  readonly #expected: { id: number; vectors: number[]; value?: string }[] = [];
  #vectors: number[] = [];
  #resume: (() => void) | undefined;

  constructor(
    readonly client: VcpuClient,
    readonly vcpu: number,
    readonly random: Random,
  ) {
    client.socket.on('message', (data) => this.#receive(JSON.parse(String(data))));
  }

  async run(operations: number): Promise<void> {
    for (let done = 0; done < operations; done++) {
      this.#operate();
      if (this.#expected.length >= WINDOW) await this.#below(WINDOW / 2);
    }
    await this.finish();
  }

  /** Fence: everything before is done. */
  async finish(): Promise<void> {
    this.#send({ type: 'sync' }, []);
    await this.#below(1);
  }

  #operate(): void {
    const { vcpu, random } = this;
    switch (random.below(8)) {
      case 0: {
        const level = random.below(2);
        const rises = level === 1 && this.#edge === 0;
        this.#edge = level;
        this.#send({ type: 'line', gsi: edgePin(vcpu), level }, rises ? [vectorOf(edgePin(vcpu))] : []);
        break;
      }
      case 1:
        this.#level = random.below(2);
        this.#send({ type: 'line', gsi: levelPin(vcpu), level: this.#level }, this.#levelService());
        break;
      case 2:
        this.#remoteIrr = false;
        this.#send({ type: 'eoi', vector: vectorOf(levelPin(vcpu)) }, this.#levelService());
        break;
      case 3:
        this.sentAcross++;
        this.#send({ type: 'line', gsi: crossPin(vcpu), level: 1 }, []);
        this.#send({ type: 'line', gsi: crossPin(vcpu), level: 0 }, []);
        break;
      case 4:
        // A comparator that has passed fires at once, on the main loop.
        this.#write(timerComparator(vcpu), 8, 0, [vectorOf(timerPin(vcpu))], false);
        break;
      case 5:
        this.#write(timerComparator(vcpu), 8, 0, [vectorOf(timerPin(vcpu))], true);
        break;
      case 6:
        this.#stored = random.below(0x7fffffff);
        this.#write(timerFsbRoute(vcpu), 4, this.#stored, [], true);
        break;
      default:
        this.#send({ type: 'read', address: hex(timerFsbRoute(vcpu)), size: 4 }, [], this.#stored);
    }
  }

  /** What the level pin sends now that something about it changed. */
  #levelService(): number[] {
    if (!this.#level || this.#remoteIrr) return [];
    this.#remoteIrr = true;
    return [vectorOf(levelPin(this.vcpu))];
  }

  #owed: number[] = [];

  #write(address: number, size: number, value: number, vectors: number[], posted: boolean): void {
    const message = { type: 'write', address: hex(address), size, value: hex(value), posted };
    if (!posted) {
      this.#send(message, vectors);
      return;
    }
    // No reply: its interrupts come before the next one.
    this.#owed.push(...vectors);
    this.client.socket.send(JSON.stringify({ ...message, id: ++this.#id }));
  }

  #send(message: object, vectors: number[], value?: number): void {
    const id = ++this.#id;
    const padded = value === undefined ? undefined : `0x${value.toString(16).padStart(8, '0')}`;
    this.#expected.push({ id, vectors: [...this.#owed, ...vectors], value: padded });
    this.#owed = [];
    this.client.socket.send(JSON.stringify({ ...message, id }));
  }

  #receive(message: Message): void {
    if (message.type === 'interrupt') {
      const sequence = BigInt(message.sequence);
      if (sequence <= this.#sequence) this.errors.push(`sequence ${sequence} after ${this.#sequence}`);
      this.#sequence = sequence;
      if (message.vector === vectorOf(crossPin((this.vcpu + SOCKETS - 1) % SOCKETS))) this.receivedAcross++;
      else this.#vectors.push(message.vector);
      return;
    }
    const expected = this.#expected.shift();
    const got = { type: message.type, id: message.id, vectors: this.#vectors, value: message.value };
    const wanted = { type: 'reply', ...expected };
    const same = JSON.stringify(got) === JSON.stringify(wanted);
    if (!same && this.errors.length < 5) {
      this.errors.push(`got ${JSON.stringify(message)} after ${got.vectors}, expected ${JSON.stringify(wanted)}`);
    }
    this.#vectors = [];
    this.#resume?.();
  }

  async #below(limit: number): Promise<void> {
    while (this.#expected.length >= limit) {
      await new Promise<void>((resolve) => {
        this.#resume = resolve;
      });
    }
  }
}

const SEED = seed();

// The long tier takes a minute.
t.setTimeout(600_000);

for (const locking of PRESET_NAMES.filter((name) => classOfPreset(name) === 'safe')) {
  t.test(`interrupts come before the reply to their cause, and replies are fences: ${locking}`, async (t) => {
    t.comment(`TEST_SEED=${SEED}, ${tier.socketOperations} operations`);
    const server = await TestServer.start({
      machines: [
        { name: 'm', clock: 'manual', vcpus: SOCKETS, locking, hpet: { timers: 4, routingCapability: '0x00ff0000' } },
      ],
    });
    t.teardown(server.stop);
    const clients: VcpuClient[] = [];
    for (let vcpu = 0; vcpu < SOCKETS; vcpu++) clients.push(await server.connect('m', vcpu));
    const [boot] = clients;
    await boot.write(GENERAL_CONFIGURATION, 8, 1);
    await boot.request({ type: 'step', ns: '1000' });
    for (let vcpu = 0; vcpu < SOCKETS; vcpu++) {
      await writeEntry(boot, edgePin(vcpu), vectorOf(edgePin(vcpu)), vcpu);
      await writeEntry(boot, levelPin(vcpu), vectorOf(levelPin(vcpu)) | LEVEL_TRIGGERED, vcpu);
      await writeEntry(boot, crossPin(vcpu), vectorOf(crossPin(vcpu)), (vcpu + 1) % SOCKETS);
      await writeEntry(boot, timerPin(vcpu), vectorOf(timerPin(vcpu)), vcpu);
      await boot.write(timerConfiguration(vcpu), 4, ENABLE | route(timerPin(vcpu)));
    }
    await writeEntry(boot, 23, MASKED, 0);

    const vcpus = clients.map((client, vcpu) => new ModelledVcpu(client, vcpu, new Random(SEED + vcpu)));
    await Promise.all(vcpus.map((vcpu) => vcpu.run(tier.socketOperations / SOCKETS)));
    await Promise.all(vcpus.map((vcpu) => vcpu.finish()));
    for (const { vcpu, errors, receivedAcross } of vcpus) {
      t.same(errors, [], `vCPU ${vcpu}`);
      const neighbour = vcpus[(vcpu + SOCKETS - 1) % SOCKETS];
      t.equal(receivedAcross, neighbour.sentAcross, `vCPU ${vcpu} got every interrupt of its neighbour`);
    }
  });
}

t.test('the replies to requests right before a close frame come before that of the server', async (t) => {
  const server = await TestServer.start({});
  const socket = new WebSocket(server.socketUrl('/v1/machines/default/vcpus/0'), 'southbridge.v1.proto');
  let stream: Socket | undefined;
  socket.once('upgrade', ({ socket: under }: IncomingMessage) => {
    stream = under;
  });
  await once(socket, 'message');
  const ids: (number | undefined)[] = [];
  socket.on('message', (data: Buffer) => ids.push(headOf(data).id));
  stream?.cork();
  for (const id of [1, 2, 3]) {
    const access = { write: false, posted: false, address: HPET_BASE, size: 8, low: 0, high: 0 } as const;
    socket.send(clientFrame({ type: 'access', id, access }));
  }
  socket.close(1000, 'done');
  stream?.uncork();
  await once(socket, 'close');
  t.same(ids, [1, 2, 3]);
  await server.stop();
});
