import { CHECKPOINTS } from './families/checkpoints.js';
import { CLUSTER } from './families/cluster.js';
import { CONNECTIONS } from './families/connections.js';
import { DEVICES } from './families/devices.js';
import { LOCKS } from './families/locks.js';
import { OMISSIONS, PROCESS, THREAD_FAULTS } from './families/process.js';
import { SERVER } from './families/server.js';
import type { Family } from './family.js';

/** Every family, in the order of the exposition. Those with most samples come last: a full scrape leaves them out first. */
export const FAMILIES: readonly Family[] = [
  ...SERVER,
  ...CONNECTIONS,
  ...THREAD_FAULTS,
  ...CHECKPOINTS,
  ...CLUSTER,
  ...PROCESS,
  ...DEVICES,
  ...LOCKS,
  ...OMISSIONS,
];
