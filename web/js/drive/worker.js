// @ts-check
/// <reference lib="webworker" />
import { Southbridge } from '/page/modules/client/index.js';
import { Guest } from './guest.js';

/**
 * Runs vCPUs apart from the page, so that drawing and driving do not hold each other up. Takes one message, which says
 * what to drive, and then `stop`; tells what it did once a second.
 */

/** @type {Guest[]} */
let guests = [];
let isStopping = false;

addEventListener('message', ({ data }) => {
  if (data === 'stop') stop();
  else start(data).catch(failed);
});

/** @param {{ url: string, token?: string, machine: string, vcpus: number[], manual: boolean, work: any, pause: number }} order */
async function start({ url, token, machine, vcpus, manual, work, pause }) {
  const server = new Southbridge(url, token === undefined ? {} : { token });
  for (const number of vcpus) {
    const guest = new Guest(number, vcpus[0], manual, work);
    guests.push(guest);
    guest.attach(await server.vcpu(machine, number, { onEvent: (event) => guest.interrupted(event) }));
  }
  if (isStopping) return;
  await guests[0].setUp(vcpus);
  const reports = setInterval(report, 1000);
  try {
    await Promise.all(guests.map((guest) => run(guest, pause)));
  } finally {
    clearInterval(reports);
  }
}

/** @param {Guest} guest @param {number} pause ms between two batches */
async function run(guest, pause) {
  while (!isStopping) {
    await guest.turn();
    if (pause > 0) await new Promise((resolve) => setTimeout(resolve, pause));
  }
}

function report() {
  const parts = guests.map((guest) => guest.take());
  const latencies = parts.flatMap(({ latencies }) => latencies).sort((a, b) => a - b);
  postMessage({
    accesses: parts.reduce((sum, part) => sum + part.accesses, 0),
    interrupts: parts.reduce((sum, part) => sum + part.interrupts, 0),
    /** ms of a whole batch */
    p50: latencies[Math.floor(latencies.length / 2)],
    p99: latencies[Math.floor(latencies.length * 0.99)],
  });
}

async function stop() {
  isStopping = true;
  try {
    await guests[0]?.tearDown();
  } catch {
    // The machine is gone, or hangs.
  }
  for (const guest of guests) guest.detach();
  guests = [];
  postMessage({ stopped: true });
  close();
}

/** @param {any} error */
function failed(error) {
  if (!isStopping) postMessage({ error: error?.message ?? String(error) });
}
