// @ts-check
import { pathOf } from '../server.js';

/** For a worker to put the devices in order. */
const END_MS = 5000;

/** Background work under the BQL: without it no design differs much. */
const BQL_LOAD = { duty: 0.4, hold: '500000', mode: 'sleep' };

/** The same load on several machines: work under the BQL, and two vCPUs each. Their own work under the BQL returns at the end. */
export class SameLoad {
  #isEnding = false;
  /** What the machines had before, by name. @type {Map<string, object>} */
  #before = new Map();
  /** @type {Drive[]} */
  #drives = [];

  /**
   * @param {import('../server.js').Server} server
   * @param {any[]} machines
   * @param {Promise<void>} before until then, they may have another load
   * @param {(error: unknown) => void} onFailure
   */
  constructor(server, machines, before, onFailure) {
    this.server = server;
    this.onFailure = onFailure;
    this.started = this.#start(machines, before).catch(onFailure);
    addEventListener('pagehide', this.#leave);
  }

  /** The vCPUs end with the page. */
  #leave = () => {
    this.#isEnding = true;
    for (const [name, load] of this.#before) this.server.requestAtEnd('PUT', pathOf(name, '/bql/load'), load);
  };

  /** @param {any[]} machines @param {Promise<void>} before */
  async #start(machines, before) {
    await before;
    for (const { name } of machines) {
      if (this.#isEnding) return;
      const { duty, hold, mode } = await this.server.get(name, '/bql/load');
      this.#before.set(name, { duty, hold, mode });
      await this.server.request('PUT', pathOf(name, '/bql/load'), BQL_LOAD);
    }
    if (this.#isEnding) return;
    this.#drives = machines.map((machine) => new Drive(this.server, machine, this.onFailure));
  }

  /** Resolves when the machines are as before; those that are gone or hang are left alone. */
  async end() {
    this.#isEnding = true;
    await this.started;
    await Promise.all(this.#drives.map((drive) => drive.stop()));
    for (const [name, load] of this.#before)
      await this.server.request('PUT', pathOf(name, '/bql/load'), load).catch(() => {});
    removeEventListener('pagehide', this.#leave);
  }
}

/** Two vCPUs of a machine with reads, line changes and ticks. */
class Drive {
  /**
   * @param {import('../server.js').Server} server
   * @param {any} machine
   * @param {(error: unknown) => void} onFailure
   */
  constructor(server, { name, clock, vcpus }, onFailure) {
    this.worker = new Worker('/page/js/drive/worker.js', { type: 'module' });
    this.worker.addEventListener('message', ({ data }) => {
      if (data.error !== undefined) onFailure(data.error);
    });
    this.worker.postMessage({
      url: server.url,
      token: server.token,
      machine: name,
      vcpus: Array.from({ length: Math.min(2, vcpus.length) }, (_, vcpu) => vcpu),
      manual: clock === 'manual',
      pause: 5,
      work: { reads: true, lines: true, ticks: true, hz: 1000 },
    });
  }

  /** Resolves when its vCPUs are free, and the devices in order. */
  async stop() {
    await new Promise((resolve) => {
      this.worker.addEventListener('message', ({ data }) => data.stopped && resolve(undefined));
      setTimeout(resolve, END_MS);
      this.worker.postMessage('stop');
    });
    this.worker.terminate();
  }
}
