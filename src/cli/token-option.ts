import { readFileSync } from 'node:fs';
import { InvalidArgumentError, Option } from 'commander';
import { TOKEN_VARIABLE } from '../config/variables.js';

/** What may follow `Bearer` in a header, and in the name of a subprotocol. */
const TOKEN = /^[A-Za-z0-9._~-]+$/;

/**
 * For commands that talk to a server. A token is no argument, since whoever may list processes would see it: it stands in
 * a file by itself, or in the environment. The option's value is the token; `tokenFromEnvironment` is for when it is not given.
 */
export function tokenFileOption(): Option {
  return new Option(
    '--token-file <file>',
    `file with the token to show to the server (or ${TOKEN_VARIABLE} in the environment)`,
  ).argParser(readToken);
}

/** The token of the environment, if there is one. */
export function tokenFromEnvironment(): string | undefined {
  return process.env[TOKEN_VARIABLE] || undefined;
}

function readToken(file: string): string {
  let text: string;
  try {
    text = readFileSync(file, 'utf8').trim();
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message);
  }
  if (!TOKEN.test(text)) {
    throw new InvalidArgumentError('It must hold one token and nothing else, as `southbridge token add` showed it.');
  }
  return text;
}
