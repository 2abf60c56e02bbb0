/** The part of a path that takes a lock: contention is counted by call site, because callers cause waiting, not locks. */
export const MMIO_READ = 0;
export const MMIO_WRITE = 1;
export const TIMER_CALLBACK = 2;
export const IRQ_UPDATE = 3;
export const DEFERRED_FLUSH = 4;
export const MAIN_LOOP = 5;
export const CONTROL = 6;

export const CALL_SITES = [
  'mmio-read',
  'mmio-write',
  'timer-callback',
  'irq-update',
  'deferred-flush',
  'main-loop',
  'control',
] as const;
