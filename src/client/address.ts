/**
 * Addresses of servers: `http:` and `https:` (or `ws:` and `wss:`), and `unix:PATH` for the Unix socket of a server on
 * this host, which only Node can use.
 */
const UNIX = 'unix:';

/** The address of a resource on a server. */
export function resourceUrl(server: string, path: string): string {
  return isUnix(server) ? `${server}:${path}` : server.replace(/\/$/, '') + path;
}

export function isUnix(url: string): boolean {
  return url.startsWith(UNIX);
}

/** The parts of a `resourceUrl`, as Node's `http` module takes them. */
export interface Target {
  readonly isSecure: boolean;
  readonly socketPath?: string;
  readonly hostname?: string;
  readonly port?: string;
  /** With the query. */
  readonly path: string;
}

export function targetOf(url: string): Target {
  if (isUnix(url)) {
    // Paths of resources have no colon; that of the socket may have.
    const colon = url.lastIndexOf(':');
    return { isSecure: false, socketPath: url.slice(UNIX.length, colon), path: url.slice(colon + 1) };
  }
  const { protocol, hostname, port, pathname, search } = new URL(url);
  return {
    isSecure: /^(https|wss):$/.test(protocol),
    hostname: hostname.replace(/^\[|\]$/g, ''),
    ...(port && { port }),
    path: pathname + search,
  };
}

interface Host {
  readonly process?: { getBuiltinModule?(name: string): unknown };
}

/** Whether modules of Node are there; not so in a browser. */
export function isNode(): boolean {
  return (globalThis as Host).process?.getBuiltinModule !== undefined;
}

/** A module of Node itself, without an `import` that a bundler for browsers would follow. */
export function nodeModule<T>(name: string): T {
  const found = (globalThis as Host).process?.getBuiltinModule?.(name);
  if (!found) throw new TypeError(`There is no module ${name} here: only Node can connect to a Unix socket.`);
  return found as T;
}
