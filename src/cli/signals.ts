/** What a shell gives for a process that was ended by an interrupt. */
const FORCED_STATUS = 130;
/** EX_SOFTWARE of sysexits.h: a service manager starts the server again. */
const FAILED_STATUS = 70;

/** Closes once on the first SIGTERM or SIGINT, then exits with status 0; a second signal exits at once. */
export function closeOnSignals(close: () => Promise<void>): void {
  let closing = false;
  const onSignal = (): void => {
    if (closing) process.exit(FORCED_STATUS);
    closing = true;
    close().then(
      () => process.exit(0),
      (error: unknown) => {
        process.stderr.write(`The server did not close cleanly: ${String(error)}\n`);
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
}

/** Exits with status 70 when the server has failed, once it has told its clients. */
export function exitOnFailure(failed: Promise<Error>, abandon: () => Promise<void>): void {
  failed.then((reason) => {
    process.stderr.write(
      `The server cannot go on: ${reason.message}. Machines are kept as of their last checkpoints, if there is a stateDir. Exit status ${FAILED_STATUS}.\n`,
    );
    const exit = () => process.exit(FAILED_STATUS);
    abandon().then(exit, exit);
  });
}
