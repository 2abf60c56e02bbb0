// @ts-check
/// <reference lib="webworker" />
import { IrqStream } from '/page/modules/client/index.js';
import { describe } from './event.js';

/**
 * Reads the IRQ stream apart from the page, which could not read as fast while it draws. Takes an order to follow a
 * machine's stream, `pause` and `resume`; tells four times a second what came.
 */

const POST_MS = 250;
/** Most rows per message: the newest. */
const MOST = 100;
const LONGEST_WAIT_MS = 3000;

/** @type {any} */
let order;
/** @type {IrqStream | undefined} */
let stream;
/** Number of the last event. @type {number | undefined} */
let after;
let isPaused = false;
let isFollowing = false;

/** @type {any[]} */
let rows = [];
let counts = { line: 0, apic: 0, msi: 0, intr: 0 };
let lost = 0;
/** The last gap since the last message. @type {{ from: number, to: number } | undefined} */
let gap;
let state = 'connecting';
let problem = '';

addEventListener('message', ({ data }) => {
  if (data === 'pause') {
    isPaused = true;
    state = 'paused';
    stream?.close();
  } else {
    isPaused = false;
    if (data !== 'resume') order = data;
    if (!isFollowing) follow();
  }
});
setInterval(post, POST_MS);

async function follow() {
  isFollowing = true;
  for (let wait = 250; !isPaused && state !== 'ended'; ) {
    state = 'connecting';
    try {
      await read();
      wait = 250;
    } catch (/** @type {any} */ error) {
      problem = error?.message ?? String(error);
      if (error?.code === 'machine-closing' || error?.code === 'unknown-machine') state = 'ended';
    }
    // A stream that ends for a pause is followed at once if the pause is over already.
    if (isPaused || state === 'paused' || state === 'ended') continue;
    state = 'lost';
    await new Promise((resolve) => setTimeout(resolve, wait));
    wait = Math.min(LONGEST_WAIT_MS, 2 * wait);
  }
  isFollowing = false;
}

/** Reads one connection to its end. */
async function read() {
  stream = await IrqStream.connect(order.url, order.machine, { ...order.options, after, reconnect: false });
  after = stream.sequence;
  if (isPaused) stream.close();
  else state = 'connected';
  problem = '';
  for await (const event of stream) heard(event);
}

/** @param {any} event */
function heard(event) {
  if (event.type === 'gap') {
    // The server, or the machine, was made again.
    const isRestart = after !== undefined && event.to < after;
    after = event.to;
    if (isRestart) {
      rows.push({ restart: true });
      return;
    }
    lost += event.to - event.from + 1;
    gap = { from: event.from, to: event.to };
  } else {
    // The server was restarted, or the machine was recreated.
    if (after !== undefined && event.sequence <= after) rows.push({ restart: true });
    after = event.sequence;
    counts[/** @type {keyof typeof counts} */ (event.event.kind)]++;
  }
  rows.push(describe(event));
  if (rows.length > 2 * MOST) rows = rows.slice(-MOST);
}

function post() {
  postMessage({ rows: rows.slice(-MOST), counts, gap, lost, state, problem, lines: stream?.lines });
  rows = [];
  counts = { line: 0, apic: 0, msi: 0, intr: 0 };
  lost = 0;
  gap = undefined;
}
