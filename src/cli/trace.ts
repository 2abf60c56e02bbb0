import { setTimeout as sleep } from 'node:timers/promises';
import { Command, Option } from 'commander';
import { resourceUrl } from '../client/address.js';
import { httpRequest } from '../client/http-request.js';
import { seconds, serverUrl } from './arguments.js';
import { atEnding } from './ending.js';
import { Progress, STANDARD_OUTPUT, writeOutput } from './terminal.js';
import { tokenFileOption, tokenFromEnvironment } from './token-option.js';

interface Options {
  readonly url: string;
  readonly machine: string;
  /** In ms. */
  readonly duration: number;
  readonly output?: string;
  readonly tokenFile?: string;
}

const HELP = `
The file is in the JSON trace-event format: open it at ui.perfetto.dev or chrome://tracing. It has the newest records of
each thread (limits.traceRecords of the server); if older ones were overwritten, it says so. A trace that was on before
stays on; else it is turned off again.

Ctrl-C ends it before its time: what was recorded so far is written, and the status is 130.

Exit status: 0 the file is written; 2 the server refused or cannot be reached, or the file cannot be written.

Example:
  npx southbridge trace record --url http://127.0.0.1:8080 --machine default --duration 2 -o boot.trace.json`;

const record = new Command('record')
  .description('trace a machine of a running server for a while, and write a file for Perfetto')
  .option('--url <url>', 'of the server', serverUrl, 'http://127.0.0.1:8080')
  .option('--machine <name>', 'the machine', 'default')
  .addOption(new Option('--duration <seconds>', 'how long').argParser(duration).default(1000, '1'))
  .option('-o, --output <file>', 'default: NAME.trace.json; - is standard output')
  .addOption(tokenFileOption())
  .addHelpText('after', HELP)
  .exitOverride()
  .action(run);

export const trace = new Command('trace')
  .description('see what the threads do in a machine')
  .addCommand(record)
  .addHelpText(
    'after',
    '\nExample:\n  npx southbridge trace record --machine default --duration 1 -o default.trace.json',
  );

function duration(text: string): number {
  return seconds(text) * 1000;
}

/** What the server said no to, or that it cannot be reached. */
class Refusal extends Error {}

async function run(
  { url, machine, duration, output, tokenFile: token = tokenFromEnvironment() }: Options,
  command: Command,
): Promise<void> {
  const file = output ?? `${machine}.trace.json`;
  const address = resourceUrl(url, `/v1/machines/${encodeURIComponent(machine)}/trace`);
  const interruption = new AbortController();
  const work = recordTo(duration, address, token, file, interruption.signal);
  // Whatever ends the command, the trace is written and off again first.
  const leave = atEnding(() => {
    interruption.abort();
    return work;
  });
  try {
    await work;
  } catch (error) {
    if (!(error instanceof Refusal) && !isFileError(error)) throw error;
    command.error(`error: ${error.message}`);
  } finally {
    leave();
  }
}

async function recordTo(
  duration: number,
  address: string,
  token: string | undefined,
  file: string,
  signal: AbortSignal,
): Promise<void> {
  const text = await recordFor(duration, address, token, signal);
  await writeOutput(file, text);
  (file === STANDARD_OUTPUT ? process.stderr : process.stdout).write(summary(file, text));
}

/** The trace of so many ms, or until the signal, at an address. Leaves it on or off as it was. */
async function recordFor(
  duration: number,
  address: string,
  token: string | undefined,
  signal: AbortSignal,
): Promise<string> {
  const { enabled: wasOn } = JSON.parse(await request(address, token));
  if (!wasOn) await request(address, token, true);
  try {
    const begin = performance.now();
    const progress = new Progress(() => `${((performance.now() - begin) / 1000).toFixed(1)} of ${duration / 1000} s`);
    await sleep(duration, undefined, { signal }).catch(() => {});
    progress.end();
    return await request(`${address}?format=perfetto`, token);
  } finally {
    if (!wasOn) await request(address, token, false);
  }
}

function isFileError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error;
}

async function request(address: string, token: string | undefined, enabled?: boolean): Promise<string> {
  const answer = await httpRequest(address, {
    headers: {
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(enabled !== undefined && { 'content-type': 'application/json' }),
    },
    ...(enabled !== undefined && { method: 'PUT', body: JSON.stringify({ enabled }) }),
  }).catch((error: Error) => {
    const { cause } = error;
    throw new Refusal(`${address} cannot be reached: ${cause instanceof Error ? cause.message : error}`);
  });
  if (!answer.ok) throw new Refusal(refusalOf(answer.text) ?? `${address}: status ${answer.status}`);
  return answer.text;
}

function refusalOf(text: string): string | undefined {
  try {
    return JSON.parse(text).error.message;
  } catch {
    return undefined;
  }
}

function summary(file: string, text: string): string {
  const { otherData, traceEvents } = JSON.parse(text);
  const lines = [`${file}: ${traceEvents.length} events of ${(otherData.durationNs / 1e9).toFixed(2)} s`];
  for (const [thread, { overwritten }] of Object.entries<{ overwritten: number }>(otherData.threads)) {
    if (overwritten > 0) lines.push(`${thread}: ${overwritten} earlier records were overwritten`);
  }
  return `${lines.join('\n')}\n`;
}
