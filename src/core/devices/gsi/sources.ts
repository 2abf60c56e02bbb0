/** Sources of a line. Each has its own level; the level of a line follows from those of its sources. */
export const SOURCE_PIT = 24;
export const SOURCE_RTC = 25;
/** A client's line message, or another device that is not part of this machine. */
export const SOURCE_EXTERNAL = 26;
/** The callback of Xen's event channel, which enters behind the router and has no level there. */
export const SOURCE_XEN = 27;

/** Sources 0 to 23 are the HPET's timers. */
export function isTimer(source: number): boolean {
  return source < SOURCE_PIT;
}

export function sourceName(source: number): string {
  if (source === SOURCE_PIT) return 'pit';
  if (source === SOURCE_RTC) return 'rtc';
  if (source === SOURCE_EXTERNAL) return 'external';
  if (source === SOURCE_XEN) return 'xen';
  return `timer ${source}`;
}
