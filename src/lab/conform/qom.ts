import { once } from 'node:events';
import type { Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { QemuError } from './qtest-process.js';

/** Where a QEMU has the devices, and which QEMU it is. */
export interface Board {
  /** For instance `11.1.3`. */
  readonly version: string;
  readonly hpet: string;
  readonly ioapic: string;
  readonly master: string;
  readonly slave: string;
}

interface Child {
  readonly name: string;
  readonly type: string;
}

/** A QMP connection: one command at a time. */
export class Qmp {
  readonly #lines: AsyncIterator<string>;
  #hasReset = false;

  constructor(readonly socket: Socket) {
    this.#lines = createInterface({ input: socket })[Symbol.asyncIterator]();
  }

  /** The next message. Rejects with QemuError. */
  async next() {
    const { value, done } = await this.#lines.next();
    if (done) throw new QemuError('QEMU closed the QMP socket');
    const message = JSON.parse(value);
    if (message.event === 'RESET') this.#hasReset = true;
    return message;
  }

  async execute(command: string, path?: string) {
    const request = path === undefined ? { execute: command } : { execute: command, arguments: { path } };
    if (!this.socket.write(`${JSON.stringify(request)}\n`)) await once(this.socket, 'drain');
    for (;;) {
      const answer = await this.next();
      if (answer.error) throw new QemuError(`QMP ${command}: ${answer.error.desc}`);
      if (answer.return) return answer.return;
    }
  }

  /** Resets the machine. Its event may come before or after the answer. */
  async reset(): Promise<void> {
    this.#hasReset = false;
    await this.execute('system_reset');
    while (!this.#hasReset) await this.next();
  }
}

/** Finds the devices by QMP: on `q35` they have no names of their own, only numbers that differ between versions. */
export async function findBoard(qmp: Qmp): Promise<Board> {
  const { major, minor, micro } = (await qmp.next()).QMP.version.qemu;
  await qmp.execute('qmp_capabilities');
  const found: (Child & { path: string })[] = [];
  for (const folder of ['/machine/unattached', '/machine', '/machine/q35']) {
    const children: Child[] = await qmp.execute('qom-list', folder);
    found.push(...children.map((child) => ({ ...child, path: `${folder}/${child.name}` })));
  }
  const all = (type: RegExp) =>
    found
      .filter((child) => type.test(child.type))
      .map(({ path }) => path)
      .sort((a, b) => numberOf(a) - numberOf(b));
  const [hpet] = all(/^child<.*hpet.*>$/);
  const [ioapic] = all(/^child<ioapic>$/);
  const [master, slave] = all(/^child<.*i8259.*>$/);
  if (!hpet || !ioapic || !slave)
    throw new QemuError('this QEMU has no HPET, IOAPIC or 8259 pair: q35 with hpet=on has');
  return { version: `${major}.${minor}.${micro}`, hpet, ioapic, master, slave };
}

function numberOf(path: string): number {
  return Number(/\[(\d+)\]$/.exec(path)?.[1] ?? 0);
}
