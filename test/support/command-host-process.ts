import { runProgram } from '../../src/cli/program.js';

/** The body of the process of a `CommandHost`. */
export interface CommandResult {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

const written = { stdout: '', stderr: '' };

function capture(stream: 'stdout' | 'stderr'): void {
  const write = (text: string | Uint8Array, ...rest: unknown[]) => {
    written[stream] += typeof text === 'string' ? text : Buffer.from(text).toString();
    const done = rest.find((each) => typeof each === 'function');
    if (done) process.nextTick(done as () => void);
    return true;
  };
  process[stream].write = write as typeof process.stdout.write;
}

capture('stdout');
capture('stderr');

process.on('message', async (args: string[]) => {
  written.stdout = '';
  written.stderr = '';
  process.exitCode = undefined;
  await runProgram(args);
  const status = Number(process.exitCode ?? 0);
  process.exitCode = undefined;
  process.send?.({ ...written, status } satisfies CommandResult);
});
