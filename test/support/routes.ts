const PARAMETERS: { readonly [name: string]: string } = {
  machine: 'default',
  address: '0xfed00010',
  gsi: '4',
  input: 'pit',
  vcpu: '0',
};

export { allRoutes } from '../../src/docs/roles.js';

/** A path that leads to a route, on a server with the machine `default`. */
export function pathOf(url: string): string {
  const file = url.startsWith('/docs/') ? 'json' : 'index.html';
  return url.replaceAll('*', file).replace(/:(\w+)/g, (_, name: string) => {
    if (!(name in PARAMETERS)) throw new Error(`${url}: tests know no value for ${name}; give it one here`);
    return PARAMETERS[name];
  });
}
