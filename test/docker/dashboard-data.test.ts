import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import type { PresetName } from '../../src/core/locking/presets.js';
import {
  ENABLE,
  GENERAL_CONFIGURATION,
  MAIN_COUNTER,
  route,
  timerComparator,
  timerConfiguration,
  writeEntry,
} from '../support/guest.js';
import { skipWithoutPrometheus, startPrometheus } from '../support/prometheus.js';
import { TestServer } from '../support/server.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { tier } from '../support/tier.js';
import type { VcpuClient } from '../support/vcpu-client.js';
import { dashboards, type PanelQuery, queriesOf, queriesWithoutData } from './dashboard.js';

/** Together they take every kind of path: under the BQL, dropping it, deferring, trying. */
const DESIGNS: readonly PresetName[] = ['bql', 'lockless-timer', 'drop-reacquire', 'deferred-irq', 'try-queue'];
const VCPUS = 2;
/** Four times the interval at which `startPrometheus` scrapes. */
const RATE_SECONDS = 4;
const FIRST_PIN = 16;
const FIRST_VECTOR = 0x40;
const SHORTEST_TICKS = 1000n;

const skip = tier.triesDelivery ? skipWithoutPrometheus : 'not in this tier';

/** Timers that interrupt again and again, and counter reads between, on every vCPU of every machine. */
async function putLoad(server: TestServer, isOver: () => boolean): Promise<void> {
  const drive = async (vcpu: VcpuClient, index: number) => {
    await vcpu.write(timerConfiguration(index), 8, route(FIRST_PIN + index) | ENABLE);
    while (!isOver()) {
      const now = await vcpu.read(MAIN_COUNTER, 8);
      await vcpu.write(timerComparator(index), 8, now + SHORTEST_TICKS);
    }
  };
  const driveAll = async (machine: string) => {
    const vcpus = await Promise.all(Array.from({ length: VCPUS }, (_, index) => server.connect(machine, index)));
    await vcpus[0].write(GENERAL_CONFIGURATION, 8, 1);
    // One after the other: the IOAPIC has one select register.
    for (const index of vcpus.keys()) await writeEntry(vcpus[0], FIRST_PIN + index, FIRST_VECTOR + index, index);
    await Promise.all(vcpus.map(drive));
  };
  await Promise.all(DESIGNS.map(driveAll));
}

t.test('a Prometheus that scrapes a loaded server has data for every query of the dashboards', { skip }, async (t) => {
  const stateDir = temporaryFolder(t);
  const server = await TestServer.start({
    stateDir,
    stateIntervalMs: 1000,
    machines: DESIGNS.map((locking) => ({
      name: locking,
      locking,
      vcpus: VCPUS,
      bql: { load: { duty: 0.1, hold: '200000' } },
    })),
  });
  t.teardown(() => server.stop());
  const prometheus = await startPrometheus(t, server.url);
  let isOver = false;
  const load = putLoad(server, () => isOver);

  const start = Date.now() / 1e3;
  let left: readonly PanelQuery[] = dashboards().flatMap(queriesOf);
  const count = left.length;
  // However slow the machine is: what is missing in the end is named by the runner's limit for a file.
  const unfinished = () =>
    t.comment(`no data yet: ${left.map(({ panel, refId }) => `${panel} (${refId})`).join(', ')}`);
  const reminder = setInterval(unfinished, 30_000);
  t.teardown(() => clearInterval(reminder));
  while (left.length > 0) {
    const shown = { start, end: Date.now() / 1e3, rate: RATE_SECONDS };
    // Refused while Prometheus is still starting.
    left = await queriesWithoutData(left, prometheus, shown).catch(() => left);
    if (left.length > 0) await sleep(200);
  }
  t.pass(`${count} queries have data`);
  isOver = true;
  await load;
});
