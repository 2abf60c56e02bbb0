import { CALL_SITES } from '../core/sync/call-sites.js';
import { LOCK_NAMES } from '../core/sync/lock-names.js';
import { BUCKET_BOUNDS } from '../runtime/memory/statistics-layout.js';
import { OTHER } from '../runtime/statistics/statistics-slots.js';
import { SAMPLING } from '../runtime/statistics/thread-statistics.js';
import { FAMILIES } from '../server/metrics/families.js';
import { MAX_SERIES } from '../server/metrics/registry.js';
import { code, page, table } from './markdown.js';

/** `docs/metrics.md` */
export function metricsPage(): string {
  return page(
    '# Metrics',
    'Generated from `src/server/metrics` by `npm run docs:generate`.',
    '`GET /metrics` answers in the text format of Prometheus, or in OpenMetrics 1.0 (without exemplars and created ' +
      'timestamps) if `Accept` prefers it. It also has the metrics of prom-client for Node.js (`process_…`, `nodejs_…`).',
    table(
      ['name', 'type', 'labels', 'what it tells'],
      FAMILIES.map(({ name, type, labels, help }) => [code(name), type, labels.map(code).join(', '), help]),
    ),
    '## Labels',
    table(['label', 'values'], labelRows()),
    ...notes(),
  );
}

function labelRows(): string[][] {
  return [
    [
      code('machine'),
      `Up to \`limits.measuredMachines\` machines at a time; the others, and those with \`metrics: shared\`, are ${code(OTHER)}. ` +
        'Histograms have it only with `GET /metrics?histograms=machine`.',
    ],
    [
      code('locking'),
      'The preset, or the four axis values with `/` between them; with ' +
        `${code(OTHER)} all designs that are no preset are \`custom\`.`,
    ],
    [code('lock'), LOCK_NAMES.map(code).join(', ')],
    [code('site'), `The part of a path that takes the lock: ${CALL_SITES.map(code).join(', ')}.`],
    [
      code('thread'),
      '`gateway`, `main-loop`, `vcpu-0` and so on; `main-loop′` took over from a `main-loop` that hangs.',
    ],
    [
      code('node'),
      'Of metrics `southbridge_cluster_…`: `cluster.node`. Of `southbridge_build_info`: the version of Node.js.',
    ],
  ];
}

function notes(): string[] {
  return [
    '## How it is counted',
    'Each thread counts for itself in shared memory, without atomics; a scrape adds up. A machine that is ' +
      `reset counts on. When a machine is deleted, its series end and its counts move to those of ${code(OTHER)} with its ` +
      'design, so that sums over all machines never fall. `metrics` of `GET /v1/machines/NAME` says whether the figures ' +
      'of a machine are its own or shared.',
    'A lock wait is counted in histograms when it ends. `southbridge_lock_waiting_threads` and ' +
      '`southbridge_lock_waiting_seconds` show those that have not ended, and `southbridge_machine_state` the machines ' +
      'in which threads hang.',
    `Waits are timed only where a lock was not free. Of holds and accesses one in ${SAMPLING} is timed, and every one on ` +
      'machines with `statistics: exact`: families with `sampled` in their name are distributions, and their counts say ' +
      'nothing about how often.',
    `All histograms have the same buckets: ${BUCKET_BOUNDS.map((bound) => code(String(bound / 1e9))).join(', ')} seconds.`,
    `A scrape has at most ${MAX_SERIES} samples; what is left out is counted in \`southbridge_series_omitted\`. Between ` +
      'families it lets the gateway do other things.',
  ];
}
