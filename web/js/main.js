// @ts-check

import { say } from './kit/dom.js';
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
const token = new TokenForm(server, () => {
  main.replaceChildren(pane.element);
  list.refresh();
  show();
});

byId('machines').append(...list.elements);
main.replaceChildren(pane.element);

function show() {
  const { machine, view } = place();
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
  say(byId('status'), `${count} ${count === 1 ? 'machine' : 'machines'} at ${location.host}`);
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
