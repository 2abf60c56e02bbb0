import {
  ENABLE,
  GENERAL_CONFIGURATION,
  LEVEL,
  PERIODIC,
  route,
  timerComparator,
  timerConfiguration,
  VALUE_SET,
} from './guest.js';
import type { VcpuClient } from './vcpu-client.js';

const LINE = 16;
const IDLE = route(LINE) | LEVEL | PERIODIC;

const hex = (value: number) => `0x${value.toString(16)}`;

/** What makes `nested-mutex` deadlock soon: the main loop holds the BQL half of the time. */
export const NESTED_MUTEX = {
  locking: 'nested-mutex',
  vcpus: 2,
  bql: { load: { duty: 0.5, hold: '2000000' } },
} as const;

/**
 * A timer's callback takes the mutex under the BQL, while writes that move its line take the BQL under the mutex: writes
 * on until `done`. It asks again and again, as the writes that hang are never answered. Each hundred writes come after
 * `before`.
 */
export async function provokeDeadlock(
  vcpu: VcpuClient,
  done: () => Promise<boolean>,
  before: () => Promise<unknown> = () => Promise.resolve(),
): Promise<void> {
  const write = (address: number, value: number) =>
    vcpu.request({ type: 'write', address: hex(address), size: 8, value: hex(value) });
  await write(timerConfiguration(0), IDLE | VALUE_SET);
  await write(timerComparator(0), 10_000);
  await write(GENERAL_CONFIGURATION, 1);
  for (let isDone = false; !isDone; ) {
    await before();
    for (let count = 0; count < 100; count++) {
      write(timerConfiguration(0), IDLE | ENABLE);
      write(timerConfiguration(0), IDLE);
    }
    let settled = false;
    vcpu.request({ type: 'sync' }).then(() => {
      settled = true;
    });
    while (!settled && !isDone) isDone = await done();
  }
}
