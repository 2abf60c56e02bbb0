import { type Check, fail, ok, warn } from './check.js';

/** By major version, the day after which there are no more security fixes: the release schedule of Node.js. */
const END_OF_LIFE: { readonly [major: number]: string } = {
  20: '2026-04-30',
  22: '2027-04-30',
  24: '2028-04-30',
};

/**
 * Whether this Node can run a server. `range`: from package.json, as in `>=20.19`. `today`: as in 2026-11-25. Versions
 * with an odd number are never supported for long.
 */
export function nodeCheck(version: string, range: string, today: string): Check {
  const name = 'Node';
  const found = `${version}, ${range} is needed`;
  const [major, minor] = version.split('.').map(Number);
  const [leastMajor, leastMinor = 0] = range.replace(/^>=/, '').split('.').map(Number);
  if (major < leastMajor || (major === leastMajor && minor < leastMinor)) {
    return fail(name, found, 'Install a newer one; the even-numbered versions are supported for years.');
  }
  const end = END_OF_LIFE[major];
  if (end !== undefined && end < today) {
    const advice = `Node ${major} has had no security fixes since ${end}; a newer even-numbered version has them.`;
    return warn(name, found, advice);
  }
  if (major % 2 === 1) return warn(name, found, 'Odd-numbered versions are supported for months; take an even one.');
  return ok(name, found);
}
