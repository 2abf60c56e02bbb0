// @ts-check
/** Names of colours in tokens.css, so that they follow the scheme. */
const SITES = {
  'mmio-read': '--blue',
  'mmio-write': '--teal',
  'timer-callback': '--amber',
  'irq-update': '--violet',
  'deferred-flush': '--pink',
  'main-loop': '--brown',
  control: '--slate',
};
const VCPUS = ['--blue', '--teal', '--violet', '--pink', '--olive'];

export const KINDS = { line: '--blue', apic: '--violet', msi: '--teal', intr: '--amber' };
export const SITE_NAMES = Object.keys(SITES);

/** @param {string} site */
export function siteColour(site) {
  return SITES[/** @type {keyof typeof SITES} */ (site)] ?? '--slate';
}

/** @param {string} thread */
export function threadColour(thread) {
  // A replacement has the colour of its role.
  if (thread.endsWith('′')) return threadColour(thread.slice(0, -1));
  if (thread === 'main-loop') return '--amber';
  if (!thread.startsWith('vcpu-')) return '--slate';
  return VCPUS[Number(thread.slice(5)) % VCPUS.length];
}

/**
 * What a colour is now.
 * @param {string} name
 */
export function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

/**
 * Calls back when the scheme changes.
 * @param {() => void} redraw
 */
export function onScheme(redraw) {
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', redraw);
}
