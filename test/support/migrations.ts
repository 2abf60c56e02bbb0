import { setTimeout } from 'node:timers/promises';
import { Southbridge, type VcpuEvent } from '../../src/client/index.js';
import type { TestNode } from './cluster.js';

const IOREGSEL = 0xfec00000;
const IOWIN = 0xfec00010;
const COMPARATOR = 0xfed00108;
const GSI = 5;
const VECTOR = 0x41;
const REDIRECTION = 0x10 + 2 * GSI;

export interface Migrated {
  /** ms of each migration for which the guest had no answer, ascending. */
  readonly pauses: readonly number[];
  readonly operations: number;
  /** Edges that the guest caused, and sequence numbers of the interrupts that it received. */
  readonly edges: number;
  readonly received: readonly number[];
  readonly wrong: readonly string[];
}

/** Migrates a machine to and fro while a guest with a session uses it without a pause. */
export async function migrate(nodes: readonly TestNode[], machine: string, count: number): Promise<Migrated> {
  const received: number[] = [];
  const wrong: string[] = [];
  const onEvent = (event: VcpuEvent) => {
    if (event.type === 'interrupt') received.push(event.sequence);
    else if (event.type !== 'intr') wrong.push(`the guest got ${event.type}`);
  };
  const vcpu = await new Southbridge(nodes[0].url).vcpu(machine, 0, { onEvent });
  for (const [register, value] of [
    [REDIRECTION, VECTOR],
    [REDIRECTION + 1, 0],
  ]) {
    await vcpu.write(IOREGSEL, 4, register);
    await vcpu.write(IOWIN, 4, value);
  }
  let [edges, operations, isOver] = [0, 0, false];
  let [lastAnswer, longest] = [performance.now(), 0];
  const answered = () => {
    const now = performance.now();
    longest = Math.max(longest, now - lastAnswer);
    lastAnswer = now;
    operations++;
  };
  const run = async () => {
    while (!isOver) {
      edges++;
      for (const level of [1, 0] as const) {
        await vcpu.setLine(GSI, level);
        answered();
      }
      await vcpu.write(COMPARATOR, 8, BigInt(edges));
      answered();
      const value = await vcpu.read(COMPARATOR, 8);
      answered();
      if (BigInt(value) !== BigInt(edges)) wrong.push(`${value} was read after ${edges} was written`);
    }
    await vcpu.sync();
  };
  const running = run();
  const pauses: number[] = [];
  for (let turn = 1; turn <= count; turn++) {
    longest = 0;
    const target = nodes[turn % nodes.length];
    const { status, body } = await nodes[0].request('POST', `/v1/machines/${machine}/migrate`, { node: target.name });
    if (status !== 204) wrong.push(`migration ${turn}: ${status} ${JSON.stringify(body)}`);
    for (const before = operations; operations < before + 2; ) await Promise.race([setTimeout(1), running]);
    pauses.push(longest);
  }
  isOver = true;
  await running;
  vcpu.close();
  return { pauses: pauses.sort((a, b) => a - b), operations, edges, received, wrong };
}

/** The value below which a share of ascending values lies. */
export function percentile(ascending: readonly number[], share: number): number {
  return ascending[Math.min(ascending.length - 1, Math.floor(ascending.length * share))];
}
