import {
  ENABLE,
  GENERAL_CONFIGURATION,
  PERIODIC,
  route,
  timerComparator,
  timerConfiguration,
  VALUE_SET,
} from '../../test/support/guest.js';

/** A request to a server that must succeed. */
export async function request(method: string, url: string, body?: unknown): Promise<unknown> {
  const response = await fetch(url, {
    method,
    ...(body !== undefined && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${url}: ${text}`);
  return text === '' ? undefined : JSON.parse(text);
}

/** A machine whose timer 0 drives line 2 with a period in ticks of the main counter (10 ns each). */
export async function makeTicking(url: string, name: string, period: number): Promise<void> {
  await request('POST', `${url}/v1/machines`, { name });
  await request('POST', `${url}/v1/machines/${name}/mmio`, {
    accesses: [
      write(timerConfiguration(0), route(2) | ENABLE | PERIODIC | VALUE_SET),
      write(timerComparator(0), period),
      write(timerComparator(0), period),
      write(GENERAL_CONFIGURATION, 1),
    ],
  });
}

/** Runs a task for each item, so many at once. */
export async function inParallel<T>(items: readonly T[], task: (item: T) => Promise<void>, atOnce = 64): Promise<void> {
  let next = 0;
  const worker = async () => {
    while (next < items.length) await task(items[next++]);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}

/** A write of one register, as `POST …/mmio` takes it. */
export function write(address: number, value: number, size = 8): object {
  return { type: 'write', address: `0x${address.toString(16)}`, size, value: `0x${value.toString(16)}` };
}
