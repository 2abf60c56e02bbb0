import type { XenForm } from '../../../core/devices/gsi/xen-filter.js';
import { line, type Scenario, xenCallback } from '../scenario.js';

/** Xen's event channel and an external driver change one GSI; how does the filter tell its own changes from others? */
function xenFilter(name: string, form: XenForm): Scenario {
  return {
    name,
    description: `the event channel's callback rises and falls; a driver raises the same GSI; filter \`${form}\``,
    machine: { xen: { form, gsi: 5 } },
    before: [],
    times: [10_000],
    vcpus: [[xenCallback(1), xenCallback(0)], [line(5, 1)]],
  };
}

export const xenFlagAssert = xenFilter('xen-flag-assert', 'flag+assert');
export const xenFlag = xenFilter('xen-flag', 'flag');
export const xenSourceId = xenFilter('xen-source-id', 'source-id');
