import { InvalidArgumentError, Option } from 'commander';

/** Parses the address of a server. */
export function serverUrl(text: string): URL {
  if (URL.canParse(text)) {
    const url = new URL(text);
    if (/^https?:$/.test(url.protocol)) return url;
  }
  throw new InvalidArgumentError('It begins with http:// or https://.');
}

/** Parses a positive number of seconds. */
export function seconds(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && value > 0 && value <= 86_400) return value;
  throw new InvalidArgumentError('It is a number of seconds, above 0 and at most 86400.');
}

/** Makes a parser of whole numbers within bounds. */
export function whole(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
    if (value >= least && value <= most) return value;
    throw new InvalidArgumentError(`It is a whole number from ${least} to ${most}.`);
  };
}

/** For commands that make machines on a server. */
export function metricsOption(): Option {
  return new Option('--metrics <whose>', 'metrics of the machines: under their own names, or shared by design')
    .choices(['own', 'shared'])
    .default('shared');
}
