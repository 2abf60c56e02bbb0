import { fileURLToPath } from 'node:url';
import { Command, Option } from 'commander';
import { TraceError } from '../lab/replay/trace.js';
import { whole } from './arguments.js';
import { ownCommand, Progress } from './terminal.js';

/** A boot of Linux with one vCPU, tickless. */
const BOOT = fileURLToPath(new URL('../../../test/vectors/guest/linux-6.1-oneshot-up.jsonl', import.meta.url));

interface Options {
  readonly trace: string;
  readonly rounds: number;
  readonly partMs: number;
}

const HELP = `
The command listens on a free port of 127.0.0.1 during the replay, and leaves no files behind. A verdict on the figures
needs 6 rounds or more.

Exit status: 0 all results are as expected; 1 the guest read a value that differs from the recording, or exploration
contradicts the predicted class of a design.

Example:
  npx southbridge demo --rounds 7`;

export const demo = new Command('demo')
  .description('serve a Linux boot, measure three designs, explore two, and print the conclusion; takes under a minute')
  .addOption(new Option('--trace <file>', 'the trace to replay').default(BOOT, 'a boot of Linux 6.1'))
  .addOption(new Option('--rounds <n>', 'rounds of measurement').argParser(whole(1, 100)).default(7))
  .addOption(
    new Option('--part-ms <ms>', 'length of each of the two parts of a measurement')
      .argParser(whole(10, 10_000))
      .default(150),
  )
  .addHelpText('after', HELP)
  .action(run);

async function run(options: Options, command: Command): Promise<void> {
  const { demo: runDemo, isAsExpected } = await import('../lab/demo/demo.js');
  const { demoText } = await import('../lab/demo/text.js');
  const progress = new Progress();
  try {
    const result = await runDemo(options, (text) => progress.show(text));
    progress.end();
    process.stdout.write(demoText(result, ownCommand()));
    if (!isAsExpected(result)) process.exitCode = 1;
  } catch (error) {
    progress.end();
    if (!(error instanceof TraceError)) throw error;
    command.error(`error: ${error.message}`);
  }
}
