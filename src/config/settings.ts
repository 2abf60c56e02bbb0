import { type KeyPath, pathName } from '../schema/keys.js';

/** Prefix of every environment variable that sets a key. */
export const PREFIX = 'SOUTHBRIDGE_';
/** Names the configuration file. */
export const FILE_VARIABLE = `${PREFIX}CONFIG`;
/** The token that commands send to a server. The server itself ignores it. */
export const TOKEN_VARIABLE = `${PREFIX}TOKEN`;

/** Where a value came from. */
export type Origin =
  | { readonly kind: 'default' }
  | { readonly kind: 'file'; readonly file: string; readonly line: number }
  | { readonly kind: 'environment'; readonly name: string }
  | { readonly kind: 'flag'; readonly name: string };

export function originText(origin: Origin): string {
  switch (origin.kind) {
    case 'default':
      return 'default';
    case 'file':
      return `${origin.file}, line ${origin.line}`;
    default:
      return origin.name;
  }
}

type Container = { [key: string | number]: unknown };

/** A tree of values that come from several sources, the later ones over the earlier, with the origin of each. */
export class Settings {
  #origins = new Map<string, Origin>();

  constructor(readonly tree: { [key: string]: unknown }) {}

  /**
   * Puts a value at a path, over whatever was there and below. A list is replaced as a whole, but its items can be
   * reached by index. Throws a RangeError for an index that would leave a hole.
   */
  set(path: KeyPath, value: unknown, originOf: (path: KeyPath) => Origin): void {
    let container = this.tree as Container;
    for (let depth = 0; depth < path.length - 1; depth++) {
      container = inside(container, path[depth], typeof path[depth + 1] === 'number');
    }
    const last = path[path.length - 1];
    requireNoHole(container, last);
    // Not an assignment, which would take a key `__proto__` for something else.
    Object.defineProperty(container, last, { value, enumerable: true, configurable: true, writable: true });
    this.#forget(path);
    this.#record(path, value, originOf);
  }

  /** The origin of exactly this value. */
  originOf(path: KeyPath): Origin {
    return this.#origins.get(pathName(path)) ?? { kind: 'default' };
  }

  /** The origin of this value, or of the nearest one that it is part of. */
  nearestOrigin(path: KeyPath): Origin {
    for (let length = path.length; length > 0; length--) {
      const origin = this.#origins.get(pathName(path.slice(0, length)));
      if (origin) return origin;
    }
    return { kind: 'default' };
  }

  #forget(path: KeyPath): void {
    const name = pathName(path);
    for (const known of this.#origins.keys()) {
      if (known === name || known.startsWith(`${name}.`)) this.#origins.delete(known);
    }
  }

  #record(path: KeyPath, value: unknown, originOf: (path: KeyPath) => Origin): void {
    this.#origins.set(pathName(path), originOf(path));
    for (const [key, part] of partsOf(value)) this.#record([...path, key], part, originOf);
  }
}

/** The items of a list or the keys of an object; nothing else has parts. */
export function partsOf(value: unknown): [string | number, unknown][] {
  if (Array.isArray(value)) return [...value.entries()];
  return typeof value === 'object' && value !== null ? Object.entries(value) : [];
}

/** The list or object at a key of `container`; made, if there is something else. */
function inside(container: Container, key: string | number, list: boolean): Container {
  requireNoHole(container, key);
  const here = container[key];
  if (list ? !Array.isArray(here) : !isObject(here)) container[key] = list ? [] : {};
  return container[key] as Container;
}

/** Whether a value has keys, and no indices. */
export function isObject(value: unknown): value is { [key: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function requireNoHole(container: Container, key: string | number): void {
  if (Array.isArray(container) && typeof key === 'number' && key > container.length) {
    throw new RangeError(`0 to ${container.length}`);
  }
}
