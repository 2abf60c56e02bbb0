import { readFileSync } from 'node:fs';
import { InvalidArgumentError, Option } from 'commander';
import { TOKEN_VARIABLE } from '../config/settings.js';

/** Characters allowed after `Bearer` in a header, and in the name of a subprotocol. */
const TOKEN = /^[A-Za-z0-9._~-]+$/;

/**
 * For commands that talk to a server. Command-line arguments are visible to every user who can list processes, so the
 * token comes from a file or from the environment (`tokenFromEnvironment`). The value of the option is the token itself.
 */
export function tokenFileOption(): Option {
  return new Option(
    '--token-file <file>',
    `file with the token to send to the server (or ${TOKEN_VARIABLE} in the environment)`,
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
    throw new InvalidArgumentError(
      'It must hold one token and nothing else, as `npx southbridge token add` showed it.',
    );
  }
  return text;
}
