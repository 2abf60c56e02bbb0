import type { Command } from 'commander';
import { Southbridge } from '../client/index.js';
import { failureOf } from '../lab/load/targets.js';
import { tokenFromEnvironment } from './token-option.js';

/** Options of a command that asks a server. */
export interface ServerOptions {
  readonly url: string;
  readonly tokenFile?: string;
  readonly json?: true;
}

export const SERVER_STATUS = '\nExit status: 0 the server did it, 2 it refused or cannot be reached.';

export type Answer = { readonly [key: string]: unknown };

/** Sends a request, and prints its answer: as JSON, or as `textOf` says it. Refusals end the command with status 2. */
export async function askServer(
  { url, tokenFile: token = tokenFromEnvironment(), json }: ServerOptions,
  command: Command,
  method: string,
  path: string,
  body?: object,
  textOf: (answer: Answer) => string = () => '',
): Promise<Answer> {
  const server = new Southbridge(url, token === undefined ? {} : { token });
  try {
    const answer = await server.request(method, path, body);
    const done = (answer === '' ? {} : answer) as Answer;
    process.stdout.write(json ? `${JSON.stringify(done)}\n` : textOf(done));
    return done;
  } catch (error) {
    const reason = failureOf(error, url);
    if (reason === undefined) throw error;
    return command.error(`error: ${reason}`);
  }
}
