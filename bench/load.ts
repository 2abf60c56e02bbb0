import { fileURLToPath } from 'node:url';
import { PRESET_NAMES } from '../src/core/locking/presets.js';
import { classOfPreset } from '../src/core/locking/verdicts.js';
import type { Workload } from '../src/lab/load/loaded-machine.js';
import type { LoadReport } from '../src/lab/load/report.js';
import { guest } from '../src/lab/load/workloads/guest.js';
import { WORKLOADS } from '../src/lab/load/workloads/index.js';
import { readTrace } from '../src/lab/replay/trace.js';
import { loadOn, workload } from '../test/lab/load/loads.js';
import { MeddlingProxy } from '../test/support/meddling-proxy.js';
import { type Row, row } from './rows.js';
import { ServerProcess } from './wire/server.js';

/**
 * Faults that `southbridge load` finds: each workload under each safe preset, and a proxy that drops one interrupt in a
 * thousand. The counts must be 0, or all of the dropped ones; a comparison with a baseline would add nothing.
 */
const VCPUS = 8;
const LOAD_MS = 1000;
const FAULT_MS = 3000;
const DROPPED_ONE_IN = 1000;
const TRACE = new URL('../../test/vectors/guest/linux-6.1-oneshot-up.jsonl', import.meta.url);

export async function rows(): Promise<Row[]> {
  const server = await ServerProcess.southbridge();
  try {
    return [...(await safePresets(server)), await seededFault(server)];
  } finally {
    await server.stop();
  }
}

async function safePresets({ url }: ServerProcess): Promise<Row[]> {
  const workloads: readonly Workload[] = [...WORKLOADS, guest(readTrace(fileURLToPath(TRACE)))];
  const presets = PRESET_NAMES.filter((name) => classOfPreset(name) === 'safe');
  const reports: LoadReport[] = [];
  for (const locking of presets) {
    for (const each of workloads) {
      reports.push(await loadOn(url, { vcpus: VCPUS, workload: each, locking, durationMs: LOAD_MS }));
    }
  }
  const sum = (figure: (report: LoadReport) => number) => reports.reduce((total, each) => total + figure(each), 0);
  const name = `load of ${VCPUS} vCPUs, ${workloads.length} workloads under ${presets.length} safe presets`;
  const none = { better: 'lower', target: 0 } as const;
  return [
    row(
      `${name}: interrupts received`,
      sum(({ interrupts }) => interrupts.received),
      '',
      { better: 'higher' },
    ),
    row(
      `${name}: lost or doubled`,
      sum(({ interrupts }) => interrupts.lost + interrupts.doubled),
      '',
      none,
    ),
    row(
      `${name}: not reported, or another violation`,
      sum(({ interrupts, faults }) => interrupts.skipped + faults),
      '',
      none,
    ),
  ];
}

/** Interrupts reported as lost, against those that a proxy dropped. */
async function seededFault(server: ServerProcess): Promise<Row> {
  let interrupts = 0;
  let dropped = 0;
  const proxy = await MeddlingProxy.start(server.url, ({ type }, frame) => {
    if (type !== 'interrupt' || ++interrupts % DROPPED_ONE_IN !== 0) return [frame];
    dropped++;
    return [];
  });
  const report = await loadOn(proxy.url, { vcpus: VCPUS, workload: workload('rte-churn'), durationMs: FAULT_MS });
  await proxy.stop();
  const name = `load of ${VCPUS} vCPUs, one interrupt in ${DROPPED_ONE_IN} dropped: reported as lost, to those dropped`;
  const { lost } = report.interrupts;
  return row(name, report.ok ? 0 : lost, '', { better: 'higher', baseline: dropped, target: 1 });
}
