import type { IncomingMessage } from 'node:http';
import type { Configuration } from '../../config/schema.js';
import { SouthbridgeError } from '../../errors.js';

/** `name`, `name:port` or `[address]:port`. */
const HOST = /^(\[[0-9a-f:.]+\]|[^:/?#@\s]+)(?::(\d{1,5}))?$/;

/**
 * Refuses requests that a web page of someone else may have caused: a foreign `Origin`, and a `Host` under which nobody
 * is meant to reach this server, as after DNS rebinding.
 */
export class Guard {
  readonly #hosts: ReadonlySet<string>;
  readonly #origins: ReadonlySet<string>;

  constructor({ host, allowedHosts, allowedOrigins }: Pick<Configuration, 'host' | 'allowedHosts' | 'allowedOrigins'>) {
    this.#hosts = new Set(['localhost', host, ...allowedHosts].map((name) => name.toLowerCase()));
    this.#origins = new Set(allowedOrigins.map((origin) => origin.toLowerCase()));
  }

  /** Throws `foreign-host` or `foreign-origin`. */
  check(request: IncomingMessage): void {
    const host = (request.headers.host ?? '').toLowerCase();
    const name = HOST.exec(host)?.[1]?.replace(/^\[|\]$/g, '');
    if (name === undefined || !this.#isOwn(host, name, request.socket.localAddress)) {
      throw new SouthbridgeError('foreign-host', { host: host || 'none' });
    }
    const origin = request.headers.origin?.toLowerCase();
    if (origin === undefined || this.#origins.has(origin)) return;
    if (origin !== `http://${host}` && origin !== `https://${host}`) {
      throw new SouthbridgeError('foreign-origin', { origin });
    }
  }

  #isOwn(host: string, name: string, localAddress: string | undefined): boolean {
    if (this.#hosts.has(name) || this.#hosts.has(host)) return true;
    if (name === '::1' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(name)) return true;
    // An address that the connection itself has cannot be a name that someone else resolves to it.
    return name === localAddress?.replace(/^::ffff:/, '');
  }
}
