import { writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { Command } from 'commander';
import { seconds, serverUrl } from './arguments.js';
import { tokenFileOption, tokenFromEnvironment } from './token-option.js';

interface Options {
  readonly url: URL;
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

Exit status: 0 the file is written, 1 the server refused or could not be reached.

Example:
  southbridge trace record --url http://127.0.0.1:8080 --machine default --duration 2 -o boot.trace.json`;

const record = new Command('record')
  .description('trace a machine of a running server for a while, and write a file for Perfetto')
  .option('--url <url>', 'of the server', serverUrl, new URL('http://127.0.0.1:8080'))
  .option('--machine <name>', 'the machine', 'default')
  .option('--duration <seconds>', 'how long', duration, 1000)
  .option('-o, --output <file>', 'default: NAME.trace.json')
  .addOption(tokenFileOption())
  .addHelpText('after', HELP)
  .exitOverride()
  .action(run);

export const trace = new Command('trace')
  .description('see what the threads do in a machine')
  .addCommand(record)
  .addHelpText('after', '\nExample:\n  southbridge trace record --machine default --duration 1 -o default.trace.json');

function duration(text: string): number {
  return seconds(text) * 1000;
}

/** What the server said no to, or that it cannot be reached. */
class Refusal extends Error {}

async function run({
  url,
  machine,
  duration,
  output,
  tokenFile: token = tokenFromEnvironment(),
}: Options): Promise<void> {
  const file = output ?? `${machine}.trace.json`;
  const address = `${url.href.replace(/\/+$/, '')}/v1/machines/${encodeURIComponent(machine)}/trace`;
  try {
    const text = await recordFor(duration, address, token);
    await writeFile(file, text);
    process.stdout.write(summary(file, text));
  } catch (error) {
    if (!(error instanceof Refusal) && !isFileError(error)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  }
}

/** The trace of so many ms, at an address. Leaves it on or off as it was. */
async function recordFor(duration: number, address: string, token: string | undefined): Promise<string> {
  const { enabled: wasOn } = JSON.parse(await request(address, token));
  if (!wasOn) await request(address, token, true);
  try {
    await sleep(duration);
    return await request(`${address}?format=perfetto`, token);
  } finally {
    if (!wasOn) await request(address, token, false);
  }
}

function isFileError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error;
}

async function request(address: string, token: string | undefined, enabled?: boolean): Promise<string> {
  const headers = new Headers(token === undefined ? {} : { authorization: `Bearer ${token}` });
  const init: RequestInit = { headers };
  if (enabled !== undefined) {
    headers.set('content-type', 'application/json');
    init.method = 'PUT';
    init.body = JSON.stringify({ enabled });
  }
  let response: Response;
  try {
    response = await fetch(address, init);
  } catch (error) {
    const { cause } = error as Error;
    throw new Refusal(`${address} cannot be reached: ${cause instanceof Error ? cause.message : error}`);
  }
  const text = await response.text();
  if (!response.ok) throw new Refusal(refusalOf(text) ?? `${address}: status ${response.status}`);
  return text;
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
