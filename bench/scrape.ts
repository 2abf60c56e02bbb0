import {
  ENABLE,
  GENERAL_CONFIGURATION,
  MAIN_COUNTER,
  route,
  timerComparator,
  timerConfiguration,
} from '../test/support/guest.js';
import { TestServer } from '../test/support/server.js';
import { twice } from './measure.js';
import { absoluteRows, type Row, row } from './rows.js';

/**
 * What a scrape costs with 64 busy machines, each with its own metrics, as by default: its size, the time of the gateway
 * that it takes, and for how long it keeps the gateway from anything else.
 */

const MACHINES = 64;
const LIMIT_MS = 20;
const LIMIT_KB = 300;

export async function rows(): Promise<Row[]> {
  const machines = Array.from({ length: MACHINES }, (_, i) => ({ name: `machine-${i}` }));
  const server = await TestServer.start({ machines });
  const vcpus = await Promise.all(machines.map(({ name }) => server.connect(name, 0)));
  for (const vcpu of vcpus) {
    await vcpu.write(GENERAL_CONFIGURATION, 8, 1);
    await vcpu.write(timerConfiguration(0), 8, route(16) | ENABLE);
  }
  let isOver = false;
  const load = vcpus.map(async (vcpu) => {
    while (!isOver) await vcpu.write(timerComparator(0), 8, (await vcpu.read(MAIN_COUNTER, 8)) + 10_000n);
  });
  let size = 0;
  const blocks: number[] = [];
  /** In ms. */
  const gatewayTime = async () => {
    const text: string = await server.get('/metrics');
    size = text.length;
    const gauge = (name: string) => Number(new RegExp(`^southbridge_scrape_${name} (\\S+)$`, 'm').exec(text)?.[1]);
    blocks.push(gauge('longest_block_seconds') * 1000);
    return gauge('busy_seconds') * 1000;
  };
  // Each shows the one before it, and the first takes longer than those that follow.
  for (let scrape = 0; scrape < 2; scrape++) await gatewayTime();
  const times = await twice(gatewayTime);
  isOver = true;
  await Promise.all(load);
  await server.stop();
  const claim = { better: 'lower', target: LIMIT_MS } as const;
  return [
    ...absoluteRows(`scrape of ${MACHINES} busy machines: gateway time, median`, 'ms', claim, times),
    row(`scrape of ${MACHINES} busy machines: longest block, slowest`, Math.max(...blocks.slice(2)), 'ms', claim),
    row(`scrape of ${MACHINES} busy machines: size`, size / 1e3, 'kB', { better: 'lower', target: LIMIT_KB }),
  ];
}
