// @ts-check
import { RequestError, Southbridge } from '/page/modules/client/index.js';

const STORED = 'southbridge.token';

/**
 * The server that served this page. Emits the events `reached`, `unreachable` and
 * `token-wanted`.
 */
export class Server extends EventTarget {
  /** @type {string | undefined} */
  #token = sessionStorage.getItem(STORED) ?? undefined;
  #client = this.#connect();
  isReachable = true;

  get url() {
    return location.origin;
  }

  get token() {
    return this.#token;
  }

  /** Kept until the tab is closed, and nowhere else. @param {string} token */
  useToken(token) {
    sessionStorage.setItem(STORED, token);
    this.#token = token;
    this.#client = this.#connect();
  }

  #connect() {
    return new Southbridge(location.origin, this.#token === undefined ? {} : { token: this.#token });
  }

  /**
   * The body of the answer. Rejects with RequestError if it is refused, with TypeError if there is none.
   * @param {string} method
   * @param {string} path
   * @param {unknown} [body]
   * @returns {Promise<any>}
   */
  async request(method, path, body) {
    try {
      const answer = await this.#client.request(method, path, body);
      this.#reached(true);
      return answer;
    } catch (error) {
      this.#reached(error instanceof RequestError && error.code !== 'shutting-down');
      if (error instanceof RequestError && error.status === 401) this.dispatchEvent(new Event('token-wanted'));
      throw error;
    }
  }

  /**
   * The same, until `signal` is aborted: the browser then closes the connection, and the server ends the work.
   * @param {AbortSignal} signal
   * @param {string} method
   * @param {string} path
   * @param {unknown} body
   */
  async requestUntil(signal, method, path, body) {
    const answer = await this.#fetch(method, path, body, { signal });
    const json = await answer.json();
    if (answer.ok) return json;
    const { code, message, ...details } = json.error;
    if (answer.status === 401) this.dispatchEvent(new Event('token-wanted'));
    throw new RequestError(code, message, details, answer.status);
  }

  /**
   * A request that the browser sends even while it closes the page; nobody is there for its answer.
   * @param {string} method
   * @param {string} path
   * @param {unknown} body
   */
  requestAtEnd(method, path, body) {
    this.#fetch(method, path, body, { keepalive: true }).catch(() => {});
  }

  /** @param {string} method @param {string} path @param {unknown} body @param {RequestInit} options */
  #fetch(method, path, body, options) {
    const authorization = this.#token === undefined ? {} : { authorization: `Bearer ${this.#token}` };
    const headers = { 'content-type': 'application/json', ...authorization };
    return fetch(path, { ...options, method, headers, body: JSON.stringify(body) });
  }

  /** @param {string} machine @param {string} [path] */
  get(machine, path = '') {
    return this.request('GET', pathOf(machine, path));
  }

  /** @param {boolean} isReachable */
  #reached(isReachable) {
    if (isReachable === this.isReachable) return;
    this.isReachable = isReachable;
    this.dispatchEvent(new Event(isReachable ? 'reached' : 'unreachable'));
  }
}

/** @param {string} machine @param {string} [path] */
export function pathOf(machine, path = '') {
  return `/v1/machines/${encodeURIComponent(machine)}${path}`;
}

/** The text that the page shows for an error. @param {unknown} error */
export function sentence(error) {
  if (error instanceof RequestError) return error.message;
  return 'The server does not answer.';
}

/** Whether the machine is not there (any more). @param {unknown} error */
export function isGone(error) {
  return error instanceof RequestError && (error.code === 'unknown-machine' || error.code === 'machine-closing');
}
