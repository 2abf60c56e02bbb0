import type { Scenario } from '../scenario.js';
import { callbackComparator } from './callback-comparator.js';
import { twoVcpus } from './two-vcpus.js';

export const SCENARIOS: readonly Scenario[] = [callbackComparator, twoVcpus];
