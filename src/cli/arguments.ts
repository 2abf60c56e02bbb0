import { resolve } from 'node:path';
import { type Command, InvalidArgumentError, Option } from 'commander';

/** Makes a parser of names separated by commas, or `all`. What it does not know it answers with what there is. */
export function listOf<T>(what: string, names: readonly string[], find: (name: string) => T | undefined) {
  return (text: string): T[] => {
    const given = text === 'all' ? names : [...new Set(text.split(','))];
    return given.map((name) => {
      const found = find(name);
      if (found !== undefined) return found;
      throw new InvalidArgumentError(`There is no ${what} ${name || '(empty)'}; there are: ${names.join(', ')}.`);
    });
  };
}

/** The module of a design of one's own. */
export function designOption(): Option {
  return new Option('--design <file>', 'ES module with a locking design of your own (docs/adding-a-design.md)');
}

/** Parses the argument of an option late, when everything that it may name is loaded; refuses it as commander does. */
export function parseLate<T>(command: Command, flags: string, text: string, parse: (text: string) => T): T {
  try {
    return parse(text);
  } catch (error) {
    if (!(error instanceof InvalidArgumentError)) throw error;
    return command.error(`error: option '${flags}' argument '${text}' is invalid. ${error.message}`);
  }
}

/** Parses the address of a server. A relative path of a Unix socket is taken from this folder. */
export function serverUrl(text: string): string {
  if (/^unix:./.test(text)) return `unix:${resolve(text.slice('unix:'.length))}`;
  if (URL.canParse(text)) {
    const { protocol, href } = new URL(text);
    if (/^https?:$/.test(protocol)) return href.replace(/\/+$/, '');
  }
  throw new InvalidArgumentError('It begins with http:// or https://, or it is unix: and the path of a Unix socket.');
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
