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

/** Finds the devices by QMP: on `q35` they have no names of their own, only numbers that differ between versions. */
export async function findBoard(socket: Socket): Promise<Board> {
  const lines = createInterface({ input: socket })[Symbol.asyncIterator]();
  const next = async () => {
    const { value, done } = await lines.next();
    if (done) throw new QemuError('QEMU closed the QMP socket');
    return JSON.parse(value);
  };
  const { major, minor, micro } = (await next()).QMP.version.qemu;
  const execute = async (command: string, path?: string) => {
    const request = path === undefined ? { execute: command } : { execute: command, arguments: { path } };
    if (!socket.write(`${JSON.stringify(request)}\n`)) await once(socket, 'drain');
    for (;;) {
      const answer = await next();
      if (answer.error) throw new QemuError(`QMP ${command}: ${answer.error.desc}`);
      if (answer.return) return answer.return;
    }
  };
  await execute('qmp_capabilities');
  const found: (Child & { path: string })[] = [];
  for (const folder of ['/machine/unattached', '/machine', '/machine/q35']) {
    const children: Child[] = await execute('qom-list', folder);
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
