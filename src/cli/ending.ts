/** What a shell gives for a process that an interrupt ended. */
export const INTERRUPTED = 130;
const TERMINATED = 143;

/** Closing the output early, as `head` does, is no failure. */
const CLOSED_PIPE = 0;

const endings = new Set<() => Promise<unknown>>();
let isEnding = false;

/**
 * Registers what a command does when it is broken off, by Ctrl-C, SIGTERM or a reader that has closed the output.
 * Returns how to take that back.
 */
export function atEnding(end: () => Promise<unknown>): () => void {
  endings.add(end);
  return () => {
    endings.delete(end);
  };
}

/** Ends with this status once everything registered was done; at once if it is called again meanwhile. */
async function end(status: number): Promise<void> {
  if (isEnding) process.exit(status);
  isEnding = true;
  await Promise.allSettled([...endings].map((each) => each()));
  process.exit(status);
}

/** For every command but `serve`, which ends in an order of its own. */
export function endOnSignals(): void {
  process.on('SIGINT', () => end(INTERRUPTED));
  process.on('SIGTERM', () => end(TERMINATED));
}

/** Without this, a closed pipe ends in a stack trace. */
export function endOnClosedOutput(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
      end(Number(process.exitCode ?? CLOSED_PIPE));
    });
  }
}
