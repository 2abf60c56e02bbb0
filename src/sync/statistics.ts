/** What a thread counts about its locks. One writer each; read by the gateway at any time. */
export interface LockStatistics {
  acquired(lock: number): void;
  /** The lock was not free; waiting begins. */
  contended(lock: number): void;
  /** A try found the lock taken. */
  tryFailed(lock: number): void;
  /** Another thread was inside the device at the same time. */
  overlapped(): void;
}

export const NO_STATISTICS: LockStatistics = {
  acquired() {},
  contended() {},
  tryFailed() {},
  overlapped() {},
};
