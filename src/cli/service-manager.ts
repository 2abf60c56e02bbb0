import { execFile } from 'node:child_process';

/**
 * Tells systemd that the server makes progress, twice in each period that `WatchdogSec=` gives (`WATCHDOG_USEC`, in µs).
 * Node has no datagram sockets of the Unix family, so `systemd-notify` sends it; the unit needs `NotifyAccess=all`. A
 * server that stalls, or whose gateway has no turn, sends nothing, and systemd ends it.
 */
export function notifyWatchdog(
  makesProgress: () => boolean,
  { WATCHDOG_USEC, NOTIFY_SOCKET }: NodeJS.ProcessEnv = process.env,
): void {
  const period = Number(WATCHDOG_USEC) / 1000;
  if (!NOTIFY_SOCKET || !(period > 0)) return;
  let failed = false;
  const notify = () => {
    if (!makesProgress()) return;
    execFile('systemd-notify', ['WATCHDOG=1'], (error) => {
      if (error && !failed) process.stderr.write(`systemd is not notified: ${error.message}\n`);
      failed = error !== null;
    });
  };
  notify();
  setInterval(notify, period / 2).unref();
}
