// @ts-check
import { RequestError } from '/page/modules/client/index.js';
import { h, head, panel, say } from '../kit/dom.js';
import { Poller } from '../kit/poller.js';
import { sentence } from '../server.js';
import { NodeTable } from './nodes.js';

/** Figures of the placement, each with its title. */
const FIGURES = /** @type {const} */ ([
  ['owned', 'machines with an owner'],
  ['withoutOwner', 'without an owner'],
  ['unstartable', 'unstartable'],
  ['steward', 'steward'],
]);

/** Nodes, placement, machines that no node runs, and migrations of the cluster that the server is a node of. */
export class ClusterView {
  /** What the tables without controls show. */
  #drawn = '';

  /** @param {import('../server.js').Server} server */
  constructor(server) {
    this.server = server;
    this.nodes = new NodeTable((node) => this.#drain(node));
    this.status = h('p', { class: 'lab-status', role: 'status' });
    this.problem = h('p', { class: 'problem', role: 'alert' });
    this.figures = new Map(FIGURES.map(([key]) => [key, h('dd', {}, '–')]));
    this.unstartable = h('tbody');
    this.migrations = h('tbody');
    this.failed = table(
      'Unstartable machines',
      'no node tries again by itself',
      ['machine', 'node', 'reason'],
      this.unstartable,
    );
    const terms = FIGURES.map(([key, title]) => h('div', {}, h('dt', {}, title), this.figures.get(key)));
    this.content = h(
      'div',
      { class: 'view', hidden: true },
      this.nodes.element,
      panel('Placement', '', h('div', { class: 'body' }, h('dl', { class: 'fields' }, ...terms))),
      this.failed,
      table(
        'Migrations',
        'those in flight, and the last 32',
        ['machine', 'from', 'to', 'started', 'result', 'pause'],
        this.migrations,
      ),
    );
    this.element = h(
      'div',
      { class: 'view' },
      h('h2', {}, 'Cluster'),
      h(
        'p',
        { class: 'note' },
        'Nodes share their machines over NATS JetStream. ',
        h('a', { href: '/docs/scale' }, 'How a cluster works'),
        ', ',
        h('a', { href: '/docs/scale#failures' }, 'what happens if something fails'),
        ', ',
        h('a', { href: '/docs/operations#what-to-watch' }, 'what to watch'),
        '.',
      ),
      this.status,
      this.problem,
      this.content,
    );
    this.poller = new Poller(() => this.#look(), 2000);
  }

  show() {
    this.poller.start();
  }

  hide() {
    this.poller.stop();
  }

  async #look() {
    try {
      this.#draw(await this.server.request('GET', '/v1/cluster'));
      say(this.problem, '');
    } catch (error) {
      const isAlone = error instanceof RequestError && error.code === 'no-cluster';
      this.content.hidden ||= isAlone;
      say(isAlone ? this.status : this.problem, sentence(error));
      if (!isAlone) throw error;
      // It stays so until the server starts again.
      this.hide();
    }
  }

  /** @param {any} cluster */
  #draw({ nodes, gone, placement, unstartable, migrations, unreachable = [] }) {
    this.content.hidden = false;
    this.nodes.show(nodes, gone);
    for (const [key, element] of this.figures) say(element, placement[key] ?? '–');
    this.failed.hidden = unstartable.length === 0;
    const drawn = JSON.stringify([unstartable, migrations, unreachable]);
    if (drawn === this.#drawn) return;
    this.#drawn = drawn;
    this.unstartable.replaceChildren(
      ...unstartable.map((/** @type {any} */ { machine, error }) => row(machine, [error.node, error.message])),
    );
    const moves = [...migrations.running, ...migrations.last].map((each) =>
      row(each.machine, [each.from, each.to, clockTime(each.startedAt), resultOf(each), pauseOf(each)]),
    );
    const missing = unreachable.map((/** @type {string} */ node) => row('?', [node, '', '', 'did not answer', '']));
    this.migrations.replaceChildren(...moves, ...missing);
  }

  /** @param {string} node */
  async #drain(node) {
    const question = `Move all machines of ${node} to other nodes? It takes no machines until it is started again.`;
    if (!confirm(question)) return;
    say(this.status, `Draining ${node}…`);
    try {
      const { stayed } = await this.server.request('POST', '/v1/cluster/drain', { node });
      say(this.status, stayed === 0 ? `${node} has no machines.` : `${stayed} machines stayed on ${node}.`);
    } catch (error) {
      say(this.status, '');
      say(this.problem, sentence(error));
      return;
    }
    await this.#look().catch(() => {});
  }
}

/** @param {string} title @param {string} note @param {string[]} columns @param {HTMLElement} body */
function table(title, note, columns, body) {
  const region = { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': `Table: ${title}` };
  return panel(title, note, h('div', region, h('table', {}, head(columns), body)));
}

/** @param {string} name @param {(string | number)[]} cells */
function row(name, cells) {
  return h('tr', {}, h('th', { scope: 'row' }, name), ...cells.map((cell) => h('td', {}, cell)));
}

/** @param {string} date */
function clockTime(date) {
  return new Date(date).toLocaleTimeString();
}

/** @param {any} migration */
function resultOf({ result, error }) {
  return error === undefined ? result : `${result}: ${error}`;
}

/** @param {any} migration */
function pauseOf({ pauseMs }) {
  return pauseMs === undefined ? '–' : `${pauseMs} ms`;
}
