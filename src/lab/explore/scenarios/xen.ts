import type { XenForm } from '../../../core/devices/gsi/xen-filter.js';
import { line, xenCallback } from '../requests.js';
import type { Scenario } from '../scenario.js';

/** Xen's event channel and an external driver change one GSI: the filter must distinguish its own changes from others. */
export const XEN: readonly Scenario[] = [
  xenFilter('xen-flag', 'flag'),
  xenFilter('xen-flag-assert', 'flag+assert'),
  xenFilter('xen-source-id', 'source-id'),
];

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
