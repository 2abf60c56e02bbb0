import type { Engine } from '../../runtime/engine.js';
import { MAIN_LOOP_THREAD } from '../../runtime/memory/shared-map.js';

/** Shortest time that a load is measured over, in ms. */
const SPAN_MS = 500;

/**
 * Measures the part of the time in which the busier of main loop and gateway works, whether or not machines have metrics of
 * their own. Each call ends a span, unless it is too short.
 */
export function loadOf({ statistics, shared }: Engine): () => number {
  const figures = () => ({
    at: performance.now(),
    loop: statistics.busy(MAIN_LOOP_THREAD, shared.hostTime()) / 1e6,
    gateway: performance.eventLoopUtilization().active,
  });
  let last = figures();
  let load = 0;
  return () => {
    const next = figures();
    const span = next.at - last.at;
    if (span < SPAN_MS) return load;
    load = Math.min(1, Math.max(0, next.loop - last.loop, next.gateway - last.gateway) / span);
    last = next;
    return load;
  };
}
