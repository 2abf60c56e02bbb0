// @ts-check
import { h, say } from '../kit/dom.js';
import { Poller } from '../kit/poller.js';
import { isGone, sentence } from '../server.js';
import { BqlLoad } from './bql-load.js';
import { Contention } from './contention.js';
import { Deadlocks } from './deadlocks.js';
import { OrderGraph } from './order-graph.js';
import { Timeline } from './timeline.js';

const SAMPLE_MS = 50;
const COUNT_MS = 500;

/** Who holds and waits for which lock, which callers cause it, and in which orders locks are taken. */
export class LocksView {
  #name = '';
  /** @type {any} */
  #machine;

  /** @param {import('../server.js').Server} server */
  constructor(server) {
    this.server = server;
    this.timeline = new Timeline();
    this.contention = new Contention();
    this.load = new BqlLoad(server);
    this.order = new OrderGraph();
    this.deadlocks = new Deadlocks();
    this.problem = h('p', { class: 'problem', role: 'alert' });
    this.element = h(
      'div',
      { class: 'view' },
      this.load.element,
      this.problem,
      this.timeline.element,
      this.contention.element,
      h('div', { class: 'row' }, this.deadlocks.element, this.order.element),
    );
    this.sampler = new Poller(() => this.#sample(), SAMPLE_MS);
    this.counter = new Poller(() => this.#count(), COUNT_MS);
  }

  /** @param {any} machine */
  show(machine) {
    if (machine.name !== this.#name) this.#clear();
    this.#name = machine.name;
    this.#machine = machine;
    this.load.show(machine.name);
    this.sampler.start();
    this.counter.start();
  }

  hide() {
    this.sampler.stop();
    this.counter.stop();
  }

  #clear() {
    this.timeline.clear();
    this.contention.clear();
    this.order.clear();
    this.deadlocks.clear();
  }

  async #sample() {
    const name = this.#name;
    const { locks } = await this.#get(name, '/locks');
    if (name === this.#name) this.timeline.add(locks);
  }

  async #count() {
    const name = this.#name;
    const [counts, order, { deadlocks }] = await Promise.all([
      this.#get(name, '/locks/contention'),
      this.#get(name, '/locks/order'),
      this.#get(name, '/deadlocks'),
    ]);
    if (name !== this.#name) return;
    this.contention.add(counts);
    this.order.show(order);
    this.deadlocks.show(deadlocks, counts, this.#machine.locking);
  }

  /** @param {string} name @param {string} path */
  async #get(name, path) {
    try {
      const answer = await this.server.get(name, path);
      say(this.problem, '');
      return answer;
    } catch (error) {
      // Other views report a missing machine and an unreachable server.
      if (!isGone(error) && this.server.isReachable) say(this.problem, sentence(error));
      throw error;
    }
  }
}
