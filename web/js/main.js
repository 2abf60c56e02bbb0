// @ts-check

import { ClusterView } from './cluster/view.js';
import { say } from './kit/dom.js';
import { CompareView } from './lab/compare.js';
import { DesignsView } from './lab/designs.js';
import { MachineList } from './machines/list.js';
import { MachinePane } from './machines/pane.js';
import { place } from './place.js';
import { Server } from './server.js';
import { TokenForm } from './token-form.js';

/** @param {string} id */
const byId = (id) => /** @type {HTMLElement} */ (document.getElementById(id));

const server = new Server();
const main = byId('main');
const banner = byId('banner');
const list = new MachineList(server);
const pane = new MachinePane(server, list);
const labs = {
  designs: new DesignsView(server),
  compare: new CompareView(server, list),
  cluster: new ClusterView(server),
};
/** The view of no machine that is shown. @type {{ element: HTMLElement, show(): void, hide(): void } | undefined} */
let lab;
const token = new TokenForm(server, () => {
  main.replaceChildren(pane.element);
  lab = undefined;
  list.refresh();
  show();
});

byId('machines').append(...list.elements);
main.replaceChildren(pane.element);

const TITLES = { designs: 'Designs', compare: 'Compare', cluster: 'Cluster' };

function show() {
  const { machine, view, lab: wanted } = place();
  for (const link of document.querySelectorAll('.bar-links a')) {
    if (link.getAttribute('href') === `#/${wanted}`) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
  if (wanted) {
    pane.hide();
    list.mark(undefined);
    document.title = `${TITLES[wanted]} – Southbridge`;
    if (lab !== labs[wanted]) {
      lab?.hide();
      lab = labs[wanted];
      main.replaceChildren(lab.element);
    }
    lab.show();
    return;
  }
  if (lab) {
    lab.hide();
    lab = undefined;
    main.replaceChildren(pane.element);
  }
  pane.show(machine, view);
  list.mark(machine);
  document.title = machine ? `${machine} – Southbridge` : 'Southbridge';
}

server.addEventListener('unreachable', () => {
  banner.hidden = false;
  say(banner, 'The server does not answer. What is shown is old; the page goes on when the server is back.');
});
server.addEventListener('reached', () => {
  banner.hidden = true;
  say(byId('status'), 'The server is back.');
});
server.addEventListener('token-wanted', () => {
  pane.hide();
  token.show(main);
});
list.addEventListener('changed', () => {
  const count = list.machines.length;
  const trouble = list.trouble;
  const text = `${count} ${count === 1 ? 'machine' : 'machines'} at ${location.host}`;
  say(byId('status'), trouble === '' ? text : `${text}: ${trouble}`);
  byId('status').classList.toggle('trouble', trouble !== '');
  if (place().lab) {
    labs.compare.machinesChanged();
    return;
  }
  // Without a choice in the address, the first machine is shown.
  if (place().machine === undefined && count > 0) list.open(list.machines[0].name);
  pane.machinesChanged();
});
byId('skip').addEventListener('click', (event) => {
  event.preventDefault();
  main.focus();
});
addEventListener('hashchange', show);

list.start();
show();
