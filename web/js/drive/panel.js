// @ts-check
import { h, say } from '../kit/dom.js';
import { short, time } from '../kit/format.js';

const MOST_VCPUS = 8;
/** For a worker to put the devices in order. */
const END_MS = 5000;
/** Milliseconds between two batches of a vCPU. */
const PACES = { gentle: 50, steady: 5, 'flat out': 0 };

/** Makes this page a number of vCPUs that put load on the machine. */
export class DrivePanel {
  /** @type {Worker | undefined} */
  #worker;
  /** @type {any} */
  #machine;
  #since = 0;
  /** Whether the machine is to be driven. */
  #isWanted = false;
  /** Whether what the worker does is no longer what is wanted. */
  #isOld = false;
  #isFollowing = false;

  /** @param {import('../server.js').Server} server */
  constructor(server) {
    this.server = server;
    this.vcpus = h('input', { type: 'number', min: 1, max: MOST_VCPUS, value: 2, id: 'drive-vcpus' });
    this.pace = h('select', { id: 'drive-pace' }, ...Object.keys(PACES).map((pace) => h('option', {}, pace)));
    this.pace.value = 'steady';
    this.work = {
      reads: choice('reads', 'reads'),
      lines: choice('lines', 'line changes'),
      ticks: choice('ticks', 'timer ticks at'),
    };
    this.hz = h('input', { type: 'number', min: 1, max: 10_000, value: 1000, 'aria-label': 'Ticks per second' });
    this.button = h('button', { type: 'button', class: 'primary', onclick: () => this.#toggle() }, 'Drive');
    this.problem = h('span', { class: 'problem', role: 'alert' });
    this.figures = {
      accesses: figure('accesses/s'),
      interrupts: figure('interrupts/s'),
      p50: figure('p50 batch'),
      p99: figure('p99 batch'),
    };
    this.element = h(
      'section',
      { class: 'panel drive', 'aria-label': 'Drive' },
      this.button,
      h('span', { class: 'choice' }, h('label', { for: 'drive-vcpus' }, 'as vCPUs'), this.vcpus),
      ...Object.values(this.work).map(({ element }) => element),
      h('span', { class: 'choice' }, this.hz, 'Hz'),
      h('span', { class: 'choice' }, h('label', { for: 'drive-pace' }, 'pace'), this.pace),
      this.problem,
      h('div', { class: 'figures' }, ...Object.values(this.figures).map(({ element }) => element)),
    );
    for (const input of this.#inputs()) input.addEventListener('change', () => this.#again());
  }

  /** @param {any} machine */
  show(machine) {
    this.#machine = machine;
  }

  stop() {
    this.#isWanted = false;
    this.#follow();
  }

  #inputs() {
    return [this.vcpus, this.pace, this.hz, ...Object.values(this.work).map(({ input }) => input)];
  }

  #toggle() {
    this.#isWanted = !this.#isWanted;
    this.#follow();
  }

  /** What is to be done has changed. */
  #again() {
    this.#isOld = this.#worker !== undefined;
    this.#follow();
  }

  /** Starts and ends workers as is wanted. One lets its vCPUs go, and leaves the devices in order, before the next begins. */
  async #follow() {
    this.#show();
    if (this.#isFollowing) return;
    this.#isFollowing = true;
    while (this.#isOld || this.#isWanted !== (this.#worker !== undefined)) {
      if (this.#worker) await this.#end(this.#worker);
      else this.#begin();
    }
    this.#isFollowing = false;
    this.#show();
  }

  /** @param {Worker} worker */
  async #end(worker) {
    this.#worker = undefined;
    this.#isOld = false;
    await new Promise((resolve) => {
      worker.addEventListener('message', ({ data }) => {
        if (data.stopped) resolve(undefined);
      });
      // In a machine that hangs nothing is answered any more.
      setTimeout(resolve, END_MS);
      worker.postMessage('stop');
    });
    worker.terminate();
  }

  #begin() {
    say(this.problem, '');
    const worker = new Worker('/page/js/drive/worker.js', { type: 'module' });
    this.#worker = worker;
    this.#since = performance.now();
    worker.addEventListener('message', ({ data }) => {
      if (worker === this.#worker) this.#heard(data);
    });
    worker.postMessage(this.#order());
  }

  #order() {
    const { name, clock, vcpus } = this.#machine;
    const count = Math.min(MOST_VCPUS, this.vcpus.valueAsNumber || 1, vcpus.length);
    const { reads, lines, ticks } = this.work;
    return {
      url: this.server.url,
      token: this.server.token,
      machine: name,
      vcpus: Array.from({ length: count }, (_, vcpu) => vcpu),
      manual: clock === 'manual',
      pause: PACES[/** @type {keyof typeof PACES} */ (this.pace.value)],
      work: {
        reads: reads.input.checked,
        lines: lines.input.checked,
        ticks: ticks.input.checked,
        hz: this.hz.valueAsNumber || 1000,
      },
    };
  }

  /** @param {any} data */
  #heard(data) {
    if (data.error !== undefined) {
      this.stop();
      say(this.problem, data.error);
      return;
    }
    if (data.accesses === undefined) return;
    const now = performance.now();
    const seconds = (now - this.#since) / 1000;
    this.#since = now;
    say(this.figures.accesses.value, short(data.accesses / seconds));
    say(this.figures.interrupts.value, short(data.interrupts / seconds));
    say(this.figures.p50.value, milliseconds(data.p50));
    say(this.figures.p99.value, milliseconds(data.p99));
  }

  #show() {
    say(this.button, this.#isWanted ? 'Stop' : 'Drive');
    if (!this.#isWanted) for (const { value } of Object.values(this.figures)) say(value, '–');
  }
}

/** @param {string} name @param {string} text */
function choice(name, text) {
  const input = h('input', { type: 'checkbox', name, checked: true });
  return { input, element: h('label', { class: 'choice' }, input, text) };
}

/** Of nothing there is no time. @param {number | undefined} ms */
function milliseconds(ms) {
  return ms === undefined ? '–' : time(ms * 1e6);
}

/** @param {string} name */
function figure(name) {
  const value = h('b', {}, '–');
  return { value, element: h('div', { class: 'figure' }, value, h('span', {}, name)) };
}
