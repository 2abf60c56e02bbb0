/**
 * Runs a load test on each machine of a server, one machine at a time so that designs do not disturb each other. The main
 * loop also holds each machine's BQL for other work. The LOAD_... variables of compose.yaml are the settings. Exit
 * status: 0 no interrupt was lost or doubled; 1 one was; 2 a load could not run.
 */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const {
  LOAD_URL: url = 'http://127.0.0.1:8080',
  LOAD_TOKEN_FILE: tokenFile = '',
  LOAD_MACHINES: chosen = '',
  LOAD_DURATION: duration = '20s',
  LOAD_VCPUS: vcpus = '4',
  LOAD_WORKLOAD: workload = 'mixed',
  LOAD_BQL_DUTY: duty = '0.3',
  LOAD_BQL_HOLD: hold = '200000',
} = process.env;

/** Leaves time for two more scrapes of the last figures before Compose stops Prometheus. */
const SCRAPES_MS = 5000;
const CLI = fileURLToPath(new URL('../dist/src/cli.js', import.meta.url));
const authorization = tokenFile && { authorization: `Bearer ${readFileSync(tokenFile, 'utf8').trim()}` };

/** Throws with the server's error message. */
async function request(method, path, body) {
  const headers = { ...authorization, ...(body && { 'content-type': 'application/json' }) };
  const response = await fetch(`${url}/v1/machines${path}`, { method, headers, body: body && JSON.stringify(body) });
  const answer = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${answer}`);
  return JSON.parse(answer);
}

let child;
let isStopped = false;
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.on(signal, () => {
    isStopped = true;
    child?.kill(signal);
  });
}

/** Runs `southbridge load` on a machine; returns its report and exit status. */
async function load(machine) {
  const token = tokenFile ? ['--token-file', tokenFile] : [];
  const choice = ['--machine', machine, '--vcpus', vcpus, '--workload', workload, '--duration', duration];
  child = spawn(process.execPath, [CLI, 'load', '--url', url, ...token, ...choice, '--json'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = new Promise((resolve) => child.once('close', (code) => resolve(code ?? 2)));
  const output = await text(child.stdout);
  return { status: await exited, report: output ? JSON.parse(output) : undefined };
}

/** A report as one line. */
function describe(status, report) {
  if (!report) return `no report, exit status ${status}`;
  const { ok, operationsPerSecond, latency, lateness, interrupts, faults, faultExamples } = report;
  const p99 = (percentiles) => (percentiles ? `${(percentiles.p99 / 1000).toFixed(3)} ms` : 'none');
  const line = [
    ok ? 'ok' : 'FAILED',
    `${Math.round(operationsPerSecond)} operations/s`,
    `latency p99 ${p99(latency)}`,
    `timer lateness p99 ${p99(lateness)}`,
    `${interrupts.received} of ${interrupts.reported} interrupts received`,
  ].join(', ');
  if (ok) return line;
  const examples = [...interrupts.examples, ...faultExamples].map((example) => `\n  ${example}`).join('');
  return `${line}; ${interrupts.lost} lost, ${interrupts.doubled} doubled, ${faults} faults${examples}`;
}

async function loadUnderBqlLoad(machine) {
  const former = await request('GET', `/${machine}/bql/load`);
  await request('PUT', `/${machine}/bql/load`, { duty: Number(duty), hold, mode: 'sleep' });
  try {
    return await load(machine);
  } finally {
    await request('PUT', `/${machine}/bql/load`, former);
  }
}

async function main() {
  const { machines } = await request('GET', '');
  const names = chosen ? chosen.split(',') : machines.map(({ name }) => name);
  console.log(
    `${names.length} machines, ${vcpus} vCPUs, ${workload}, ${duration} each, the BQL held ${duty} of the time`,
  );
  let worst = 0;
  for (const name of names) {
    if (isStopped) break;
    const { status, report } = await loadUnderBqlLoad(name);
    console.log(`${name}: ${describe(status, report)}`);
    worst = Math.max(worst, status);
  }
  if (!isStopped) await sleep(SCRAPES_MS);
  return isStopped ? 2 : worst;
}

main().then(
  (status) => process.exit(status),
  (error) => {
    console.error(error.message);
    process.exit(2);
  },
);
