// @ts-check
import { h } from './kit/dom.js';

/** Asks for the token that the server wants. It is kept by this tab only. */
export class TokenForm {
  #isShown = false;

  /**
   * @param {import('./server.js').Server} server
   * @param {() => void} onToken
   */
  constructor(server, onToken) {
    this.input = h('input', { type: 'password', id: 'token', autocomplete: 'off', required: true });
    this.problem = h('p', { class: 'problem', role: 'alert' });
    const form = h('form', {}, this.input, h('button', { class: 'primary' }, 'Use'));
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.#isShown = false;
      server.useToken(this.input.value);
      this.input.value = '';
      onToken();
    });
    this.element = h(
      'section',
      { class: 'panel token', 'aria-labelledby': 'token-title' },
      h('header', {}, h('h2', { id: 'token-title' }, 'This server wants a token')),
      h(
        'div',
        { class: 'body' },
        h('p', {}, h('label', { for: 'token' }, 'Token')),
        form,
        this.problem,
        h('p', { class: 'note' }, 'It is kept in this tab until you close it, and sent to this server only.'),
      ),
    );
    this.server = server;
  }

  /** @param {HTMLElement} place */
  show(place) {
    if (this.#isShown) return;
    this.#isShown = true;
    this.problem.textContent = this.server.token === undefined ? '' : 'The server did not accept this token.';
    place.replaceChildren(this.element);
    this.input.focus();
  }
}
