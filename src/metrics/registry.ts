import { collectDefaultMetrics, Registry } from 'prom-client';
import type { Service } from '../service/service.js';
import { registerLockMetrics } from './locks.js';
import { registerServiceMetrics } from './service.js';

/** Gauges with names that only counters may have; their parts by type are there under other names. */
const REJECTED = ['nodejs_active_handles_total', 'nodejs_active_requests_total', 'nodejs_active_resources_total'];

/** All metrics of one server. */
export function createMetrics(service: Service): Registry {
  const register = new Registry();
  collectDefaultMetrics({ register });
  for (const name of REJECTED) register.removeSingleMetric(name);
  registerLockMetrics(register, service);
  registerServiceMetrics(register, service);
  return register;
}
