import { connect, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { InProcessTarget } from '../replay/in-process.js';
import type { Setup } from '../replay/target.js';
import type { Output } from '../replay/trace.js';
import { isMarked, type ProgramMachine, type ProgramStep, type ProgramTarget, performStep } from './program.js';
import { RTC_INPUT } from './qtest-process.js';

const HPET = '/machine/unattached/device[5]';
const MASTER = '/machine/unattached/device[3]';
const SLAVE = '/machine/unattached/device[4]';
const IOAPIC = '/machine/q35/ioapic';
const TREE: { readonly [path: string]: readonly { readonly name: string; readonly type: string }[] } = {
  '/machine': [
    { name: 'type', type: 'string' },
    { name: 'unattached', type: 'child<container>' },
    { name: 'q35', type: 'child<q35-pcihost>' },
  ],
  '/machine/unattached': [
    { name: 'device[3]', type: 'child<isa-i8259>' },
    { name: 'device[4]', type: 'child<isa-i8259>' },
    { name: 'device[5]', type: 'child<hpet>' },
  ],
  '/machine/q35': [{ name: 'ioapic', type: 'child<ioapic>' }],
};
const SIZES: { readonly [suffix: string]: number } = { b: 1, w: 2, l: 4, q: 8 };

/** What a stand-in takes from QEMU's options; it ignores all others. */
export interface StandInOptions {
  readonly qtest: string | undefined;
  readonly qmp: string | undefined;
  readonly setup: Omit<Setup, 'kind'>;
  readonly logs: boolean;
  readonly traces: boolean;
}

export function parseOptions(args: readonly string[]): StandInOptions {
  const valuesOf = (name: string) => args.filter((_, n) => args[n - 1] === name);
  const globals = new Map(valuesOf('-global').map((text) => text.split('=') as [string, string]));
  const pathOf = (name: string) => /^unix:([^,]+)/.exec(valuesOf(name)[0] ?? '')?.[1];
  const chardev = valuesOf('-chardev').map((text) => /^socket,path=([^,]+)/.exec(text)?.[1]);
  return {
    qtest: pathOf('-qtest'),
    qmp: pathOf('-qmp') ?? chardev.find((path) => path !== undefined),
    setup: {
      hpet: {
        timers: Number(globals.get('hpet.timers') ?? 3),
        msi: globals.get('hpet.msi') === 'on',
        routingCapability: Number(globals.get('hpet.hpet-intcap') ?? 0x00ff_0104),
      },
      ioapicVersion: Number(globals.get('ioapic.version') ?? 0x20),
    },
    logs: !args.includes('-qtest-log') || valuesOf('-qtest-log')[0] === '/dev/fd/2',
    traces: args.includes('-trace'),
  };
}

/**
 * Stands in for a QEMU in a program that speaks qtest: the devices are those of a machine of this process with the
 * profile `qemu-11.1`. The 8259 pair takes part if the program intercepts it, or if its first access is to a port.
 */
export class StandIn {
  #machine: Promise<ProgramMachine> | undefined;
  /** What is intercepted: the outputs of a device, or the inputs of the IOAPIC. */
  #intercepted = '';
  #now = 0;
  #qtest!: Socket;
  #end!: () => void;
  /** Resolves when the program quits or closes the qtest socket. */
  readonly ended = new Promise<void>((resolve) => {
    this.#end = resolve;
  });

  constructor(
    readonly options: StandInOptions,
    readonly log: (text: string) => void,
    /** Where its machine comes from; `stop` closes it. */
    readonly target: ProgramTarget = new InProcessTarget(),
  ) {}

  /** Connects to the sockets. Rejects if one refuses. */
  async start(): Promise<void> {
    const { qtest, qmp } = this.options;
    if (qtest === undefined) throw new Error('no socket is given: -qtest unix:PATH');
    this.#qtest = await opened(qtest);
    let last: Promise<unknown> = Promise.resolve();
    createInterface({ input: this.#qtest }).on('line', (line) => {
      last = last.then(() => this.#take(line));
    });
    this.#qtest.on('close', () => this.#end());
    if (qmp !== undefined) this.#serveQmp(await opened(qmp));
  }

  async stop(): Promise<void> {
    this.#qtest?.destroy();
    await (await this.#machine)?.close();
    await this.target.close();
  }

  // QMP

  #serveQmp(socket: Socket): void {
    const send = (message: object) => socket.write(`${JSON.stringify(message)}\r\n`);
    const qemu = { micro: 3, minor: 1, major: 11 };
    send({ QMP: { version: { qemu, package: 'southbridge' }, capabilities: [] } });
    const answer = async (line: string) => {
      const { execute, arguments: given, id } = JSON.parse(line);
      if (execute === 'system_reset') {
        await this.#perform({ op: 'reset' });
        send({
          event: 'RESET',
          data: { guest: false, reason: 'host-qmp-system-reset' },
          timestamp: { seconds: 0, microseconds: 0 },
        });
      }
      send({ ...this.#execute(execute, given?.path), ...(id !== undefined && { id }) });
      if (execute === 'quit') this.#end();
    };
    let last: Promise<unknown> = Promise.resolve();
    createInterface({ input: socket }).on('line', (line) => {
      last = last.then(() => answer(line));
    });
    this.ended.then(() => socket.end());
  }

  #execute(command: string, path: string): object {
    if (['qmp_capabilities', 'system_reset', 'quit'].includes(command)) return { return: {} };
    if (command !== 'qom-list') {
      return { error: { class: 'CommandNotFound', desc: `The command ${command} has not been found` } };
    }
    const children = TREE[path];
    return children ? { return: children } : { error: { class: 'DeviceNotFound', desc: `no device at ${path}` } };
  }

  // qtest

  async #take(line: string): Promise<void> {
    if (this.options.logs) this.log(`[R +0.000000] ${line}`);
    this.#send(await this.#answer(line.trim().split(/ +/)));
  }

  #send(text: string): void {
    if (this.options.logs) this.log(`[S +0.000000] ${text}`);
    this.#qtest.write(`${text}\n`);
  }

  async #answer(words: readonly string[]): Promise<string> {
    const [command, first, second, third, fourth] = words;
    const access = /^(read|write|in|out)([bwlq])$/.exec(command);
    if (access) return this.#access(access[1], SIZES[access[2]], Number(first), BigInt(second ?? 0));
    switch (command) {
      case 'endianness':
        return 'OK little';
      case 'irq_intercept_in':
      case 'irq_intercept_out':
        this.#intercepted = command === 'irq_intercept_in' ? `in ${first}` : first;
        return 'OK';
      case 'clock_step':
        return first === undefined ? 'FAIL clock_step needs a number of ns' : this.#clock(Number(first));
      case 'clock_set':
        return this.#clock(Number(first) - this.#now);
      case 'set_irq_in':
        return this.#setInput(first, second, Number(third), Number(fourth));
      default:
        return `FAIL Unknown command '${command}'`;
    }
  }

  async #access(operation: string, size: number, at: number, value: bigint): Promise<string> {
    switch (operation) {
      case 'read': {
        const read = await this.#perform({ op: 'read', address: at, size, value: undefined });
        return `OK 0x${read.toString(16).padStart(16, '0')}`;
      }
      case 'write':
        await this.#perform({ op: 'write', address: at, size, value: BigInt.asUintN(8 * size, value) });
        return 'OK';
      case 'in':
        return `OK 0x${(await this.#perform({ op: 'in', port: at, value: 0n })).toString(16).padStart(4, '0')}`;
      default:
        await this.#perform({ op: 'out', port: at, value: value & 0xffn });
        return 'OK';
    }
  }

  async #clock(ns: number): Promise<string> {
    if (!(ns >= 0)) return 'FAIL the clock does not go back';
    await this.#perform({ op: 'clock_step', ns });
    this.#now += ns;
    return `OK ${this.#now}`;
  }

  async #setInput(path: string, name: string, pin: number, level: number): Promise<string> {
    if (path === HPET && name === 'unnamed-gpio-in' && pin === RTC_INPUT) {
      await this.#perform({ op: 'rtc', level: level ? 1 : 0 });
      return 'OK';
    }
    const first = { [IOAPIC]: 0, [MASTER]: 0, [SLAVE]: 8 }[path];
    const count = path === IOAPIC ? 24 : 8;
    if (first === undefined || name !== 'unnamed-gpio-in' || !(pin < count)) return 'FAIL Unknown device or input';
    await this.#perform({ op: 'set_irq', pin: first + pin, level: level ? 1 : 0 });
    return 'OK';
  }

  async #perform(step: ProgramStep): Promise<bigint> {
    const hasPair = this.#intercepted === MASTER || step.op === 'in' || step.op === 'out';
    this.#machine ??= this.target.open(
      { ...this.options.setup, kind: hasPair ? 'pic' : 'wired' },
      { profile: 'qemu-11.1', locking: 'lockless-irq' },
    );
    const { value, outputs } = await performStep(await this.#machine, step);
    for (const output of outputs) this.#report(output);
    return value ?? 0n;
  }

  #report(output: Output): void {
    if (output.out === 'apic' || output.out === 'msi') {
      this.#trace(output);
      return;
    }
    const sources = output.out === 'irq' ? [HPET, `in ${IOAPIC}`] : [MASTER];
    if (!sources.includes(this.#intercepted)) return;
    this.#send(`IRQ ${output.level ? 'raise' : 'lower'} ${output.out === 'irq' ? output.line : 0}`);
  }

  /** The trace events by which QEMU shows messages to the local APICs. */
  #trace(output: Output): void {
    if (!this.options.traces) return;
    if (output.out === 'msi') {
      const [addr, data] = [output.addr.toString(16), output.data.toString(16)];
      this.log(`memory_region_ops_write cpu -1 mr 0x0 addr 0x${addr} value 0x${data} size 4 name 'apic-msi'`);
      if (isMarked(output.addr))
        this.log('apic_deliver_irq dest 0 dest_mode 0 delivery_mode 0 vector 0 trigger_mode 0');
    } else if (output.out === 'apic') {
      const { dest, dest_mode, delivery_mode, vector, trigger_mode } = output;
      this.log(
        `apic_deliver_irq dest ${dest} dest_mode ${dest_mode} delivery_mode ${delivery_mode} vector ${vector} trigger_mode ${trigger_mode}`,
      );
    }
  }
}

function opened(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.off('error', reject);
      socket.on('error', () => {});
      resolve(socket);
    });
  });
}
