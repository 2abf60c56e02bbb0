import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { basename, join } from 'node:path';
import { createInterface } from 'node:readline';
import t from 'tap';
import type { ProgramTarget } from '../../../src/lab/conform/program.js';
import { readLine, writeLine } from '../../../src/lab/conform/qtest-process.js';
import { parseOptions, StandIn } from '../../../src/lab/conform/stand-in.js';
import { InProcessTarget } from '../../../src/lab/replay/in-process.js';
import { readTrace, type Step, type Trace } from '../../../src/lab/replay/trace.js';
import { temporaryFolder } from '../../support/temporary-folder.js';
import { GOLDEN, PIC } from '../replay/vectors.js';

const folder = temporaryFolder(t);
const model = new InProcessTarget();
t.teardown(() => model.close());
/** One engine for all stand-ins. */
const shared: ProgramTarget = {
  name: 'shared',
  open: (setup, options) => model.open(setup, options),
  close: async () => {},
};

/** A program that listens as libqtest does: it sends a line and takes IRQ messages until the answer. */
class Client {
  /** IRQ messages since they were last looked at. */
  irqs: string[] = [];
  readonly #lines: AsyncIterator<string>;

  constructor(
    readonly socket: Socket,
    readonly qmp: Socket,
  ) {
    this.#lines = createInterface({ input: socket })[Symbol.asyncIterator]();
  }

  async command(line: string): Promise<string> {
    this.socket.write(`${line}\n`);
    for (;;) {
      const { value } = await this.#lines.next();
      if (!value.startsWith('IRQ ')) return value;
      this.irqs.push(value);
    }
  }
}

let clients = 0;

/** A stand-in with the options that libqtest gives QEMU, and the client that it connected to. */
async function start({ hpet, ioapicVersion }: Pick<Trace, 'hpet' | 'ioapicVersion'>) {
  const [qtest, qmp] = ['qtest', 'qmp'].map((name) => join(folder, `${name}-${clients}`));
  clients++;
  const servers = [qtest, qmp].map((path) => createServer().listen(path));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const connected = servers.map((server) => once(server, 'connection'));
  const options = [
    ...['-qtest', `unix:${qtest}`, '-qtest-log', '/dev/null', '-chardev', `socket,path=${qmp},id=char0`],
    ...['-mon', 'chardev=char0,mode=control', '-display', 'none', '-audio', 'none', '-machine', 'q35,hpet=on'],
    ...['-global', `hpet.timers=${hpet.timers}`, '-global', `hpet.msi=${hpet.msi ? 'on' : 'off'}`],
    ...['-global', `hpet.hpet-intcap=${hpet.routingCapability}`, '-global', `ioapic.version=${ioapicVersion}`],
    ...['-accel', 'qtest'],
  ];
  const standIn = new StandIn(parseOptions(options), () => {}, shared);
  await standIn.start();
  const [[socket], [control]] = await Promise.all(connected);
  for (const server of servers) server.close();
  return { standIn, client: new Client(socket, control) };
}

const IOAPIC = '/machine/q35/ioapic';
const [MASTER, SLAVE, HPET] = [3, 4, 5].map((n) => `/machine/unattached/device[${n}]`);

function commandsOf(step: Step, kind: Trace['kind']): string[] {
  switch (step.op) {
    case 'read':
      return [readLine(step.address, step.size)];
    case 'write':
      return [writeLine(step.address, step.size, step.value)];
    case 'clock_step':
      return [`clock_step ${step.ns}`];
    case 'set_irq':
      if (kind !== 'pic') return [`set_irq_in ${IOAPIC} unnamed-gpio-in ${step.pin} ${step.level}`];
      return [`set_irq_in ${step.pin < 8 ? MASTER : SLAVE} unnamed-gpio-in ${step.pin & 7} ${step.level}`];
    case 'eoi':
      return [writeLine(0xfec0_0040, 4, BigInt(step.vector))];
    case 'in':
      return [`inb 0x${step.port.toString(16)}`];
    case 'out':
      return [`outb 0x${step.port.toString(16)} 0x${step.value.toString(16)}`];
    case 'inta':
      return [1, 0].map((level) => `set_irq_in ${IOAPIC} unnamed-gpio-in 23 ${level}`);
  }
}

/** The first line of a trace for which the stand-in differs; undefined if there is none. */
async function firstDifference(trace: Trace): Promise<number | undefined> {
  const { standIn, client } = await start(trace);
  try {
    if (trace.kind === 'hpet') await client.command(`irq_intercept_out ${HPET} sysbus-irq`);
    if (trace.kind === 'pic') {
      await client.command(`irq_intercept_out ${MASTER}`);
      for (const line of ['writel 0xfec00000 0x3e', 'writel 0xfec00010 0x700']) await client.command(line);
    }
    client.irqs = [];
    for (const { line, step, outputs } of trace.lines) {
      let answer = '';
      for (const command of commandsOf(step, trace.kind)) answer = await client.command(command);
      const value = BigInt(answer.split(' ')[1] ?? 0);
      const expected = outputs.flatMap((output) => {
        if (output.out !== 'irq' && output.out !== 'intr') return [];
        return [`IRQ ${output.level ? 'raise' : 'lower'} ${output.out === 'irq' ? output.line : 0}`];
      });
      const isRight = step.op === 'read' || step.op === 'in' ? value === step.value : answer.startsWith('OK');
      if (!isRight || client.irqs.join() !== expected.join()) return line;
      client.irqs = [];
    }
    return undefined;
  } finally {
    client.socket.destroy();
    client.qmp.destroy();
    await standIn.ended;
    await standIn.stop();
  }
}

/** Short traces: 20 of the HPET, 15 with an IOAPIC, 15 of the 8259 pair. */
function traces(): Trace[] {
  const all = [...GOLDEN, ...PIC].map(({ file }) => readTrace(file)).filter(({ lines }) => lines.length < 400);
  const some = (kinds: readonly string[], count: number) =>
    all.filter(({ kind }) => kinds.includes(kind)).slice(0, count);
  return [...some(['hpet'], 20), ...some(['ioapic', 'wired'], 15), ...some(['pic'], 15)];
}

t.test('a client that listens as libqtest does drives the stand-in through 50 recorded traces', async (t) => {
  const chosen = traces();
  t.equal(chosen.length, 50);
  for (const trace of chosen) t.equal(await firstDifference(trace), undefined, basename(trace.file));
});

const SETUP = { hpet: { timers: 3, msi: false, routingCapability: 0x00ff_0104 }, ioapicVersion: 0x20 };

t.test('QMP: greeting, qom-list, an unknown command, quit', async (t) => {
  const { standIn, client } = await start(SETUP);
  const lines = createInterface({ input: client.qmp })[Symbol.asyncIterator]();
  const execute = async (request: object) => {
    client.qmp.write(`${JSON.stringify(request)}\n`);
    return JSON.parse((await lines.next()).value);
  };
  t.match(JSON.parse((await lines.next()).value), { QMP: { version: { qemu: { major: 11, minor: 1, micro: 3 } } } });
  t.same(await execute({ execute: 'qmp_capabilities', id: 7 }), { return: {}, id: 7 });
  const { return: children } = await execute({ execute: 'qom-list', arguments: { path: '/machine/unattached' } });
  t.match(children, [{ type: 'child<isa-i8259>' }, { type: 'child<isa-i8259>' }, { type: 'child<hpet>' }]);
  t.match(await execute({ execute: 'qom-list', arguments: { path: '/x' } }), { error: { class: 'DeviceNotFound' } });
  t.match(await execute({ execute: 'device_add' }), { error: { class: 'CommandNotFound' } });
  t.same(await execute({ execute: 'quit' }), { return: {} });
  client.qmp.destroy();
  client.socket.destroy();
  await standIn.ended;
  await standIn.stop();
});

t.test('commands that it does not take are answered with FAIL', async (t) => {
  const { standIn, client } = await start(SETUP);
  t.equal(await client.command('endianness'), 'OK little');
  t.equal(await client.command('clock_step 100'), 'OK 100');
  t.equal(await client.command('clock_set 500'), 'OK 500');
  t.equal(await client.command('clock_set 400'), 'FAIL the clock does not go back');
  t.match(await client.command('clock_step'), /^FAIL/);
  t.match(await client.command('rtas x'), /^FAIL Unknown command/);
  t.match(await client.command('set_irq_in /nowhere unnamed-gpio-in 0 1'), /^FAIL/);
  t.equal(await client.command('readl 0x1000'), 'OK 0x0000000000000000');
  client.socket.destroy();
  client.qmp.destroy();
  await standIn.ended;
  await standIn.stop();
});
