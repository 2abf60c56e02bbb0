import { get } from 'node:http';
import { get as getTls } from 'node:https';
import { createServer } from 'node:net';
import type { Configuration } from '../config/schema.js';
import { type Check, fail, ok, warn } from './check.js';
import { listenerOn } from './listener.js';

/** For an answer of the program that listens there. */
const PATIENCE_MS = 2000;

/** Whether a server could listen where it is configured to, and if not, who does. */
export async function portCheck({ host, port }: Pick<Configuration, 'host' | 'port'>): Promise<Check> {
  const name = 'port';
  const code = await tryListening(host, port);
  const where = `${host}:${port}`;
  switch (code) {
    case undefined:
      return ok(name, port === 0 ? `any free one of ${host}` : `${where} is free`);
    case 'EADDRINUSE':
      return taken(name, host, port);
    case 'EACCES':
      return fail(name, `${where} is not permitted`, 'Ports below 1024 need a privilege; set port to a higher one.');
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return fail(name, `${host} is no address of this computer`, 'Set host to one that it has, such as 127.0.0.1.');
    default:
      return fail(name, `${where}: ${code}`, 'Set host and port to what this computer can listen on.');
  }
}

/** Undefined if it can be done, else the code of the error. */
function tryListening(host: string, port: number): Promise<string | undefined> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(undefined)));
  });
}

async function taken(name: string, host: string, port: number): Promise<Check> {
  const where = `${host}:${port}`;
  const by = listenerOn(port);
  const who = by === undefined ? '' : `, ${by}`;
  const connectable = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
  const isOurs = (await asksHealth(get, connectable, port)) || (await asksHealth(getTls, connectable, port));
  if (isOurs) {
    return warn(name, `a Southbridge server listens on ${where}${who}`, 'Use that one, or set port to another.');
  }
  const unnamed = by === undefined ? 'another program' : by;
  return fail(
    name,
    `${where} is in use by ${unnamed}`,
    'End that program, or set port to another; 0 takes a free one.',
  );
}

/** Whether what listens there says of itself that it is such a server. Its certificate does not matter here. */
function asksHealth(request: typeof get | typeof getTls, host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const options = { host, port, path: '/healthz', timeout: PATIENCE_MS, rejectUnauthorized: false, agent: false };
    const asked = request(options, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        if (text.length < 4096) text += chunk;
      });
      response.on('end', () => resolve(isHealthOfOurs(text)));
    });
    asked.on('timeout', () => asked.destroy());
    asked.on('error', () => resolve(false));
    asked.on('close', () => resolve(false));
  });
}

function isHealthOfOurs(text: string): boolean {
  try {
    return JSON.parse(text).server === 'southbridge';
  } catch {
    return false;
  }
}
