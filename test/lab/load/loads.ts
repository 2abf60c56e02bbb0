import { Load } from '../../../src/lab/load/load.js';
import type { Workload } from '../../../src/lab/load/loaded-machine.js';
import type { LoadOptions } from '../../../src/lab/load/options.js';
import type { LoadReport } from '../../../src/lab/load/report.js';
import { WORKLOADS } from '../../../src/lab/load/workloads/index.js';

export function workload(name: string): Workload {
  const found = WORKLOADS.find((each) => each.name === name);
  if (!found) throw new Error(`no workload ${name}`);
  return found;
}

/** A load in this process, from its machines to its report; it ends before its time when that is `enough`. */
export async function loadOn(
  url: string,
  options: Partial<LoadOptions>,
  enough: (load: Load) => boolean = () => false,
): Promise<LoadReport> {
  const defaults = { vcpus: 8, workload: workload('mixed'), durationMs: 600_000, seed: 1, patienceMs: 60_000 };
  const load = new Load({ url, ...defaults, ...options });
  const watch = setInterval(() => enough(load) && load.stop(), 10);
  try {
    await load.open();
    return await load.run();
  } finally {
    clearInterval(watch);
    await load.close();
  }
}
