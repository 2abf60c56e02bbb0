import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { addressesOf } from '../config/listen.js';
import type { Configuration } from '../config/schema.js';
import { HPET_BASE } from '../core/devices/guest-map.js';
import { fromHere, ownCommand } from './own-command.js';

/** Recorded traces, which a clone has. */
const TRACES = fileURLToPath(new URL('../../../test/vectors', import.meta.url));

/** What `serve` says once it listens: the addresses, and commands that work when they are copied. */
export function startText(url: string, { listen, machines, tokenFile, tls }: Configuration): string {
  const { tcp, unix } = addressesOf({ listen });
  const lines = [`Southbridge listens on ${url}`];
  if (tcp && unix !== undefined) lines.push(`  and on unix:${unix}`);
  // Not as an argument, which would be in the shell's history.
  if (tcp && tokenFile) lines.push('  read -rs SOUTHBRIDGE_TOKEN && export SOUTHBRIDGE_TOKEN');
  const authority = tcp && tls.certFile && fromHere(tls.certFile);
  const trusting = authority ? `NODE_EXTRA_CA_CERTS=${authority} ` : '';
  const curl = [
    'curl',
    authority && `--cacert ${authority}`,
    tcp && tokenFile && '-H "authorization: Bearer $SOUTHBRIDGE_TOKEN"',
    !tcp && `--unix-socket ${fromHere(String(unix))}`,
  ]
    .filter(Boolean)
    .join(' ');
  const base = tcp ? url : 'http://localhost';
  const own = tcp ? url : `unix:${fromHere(String(unix))}`;
  const [machine] = machines;
  if (machine) {
    const which = machine.name === 'default' ? '' : ` --machine ${machine.name}`;
    lines.push(
      `  ${curl} ${base}/v1/machines/${machine.name}/hpet`,
      `  ${trusting}${ownCommand()} poke read 0x${HPET_BASE.toString(16)} --url ${own}${which}`,
    );
  } else {
    lines.push(`  ${curl} -H 'content-type: application/json' -d '{"name":"vm-1"}' ${base}/v1/machines`);
  }
  if (existsSync(TRACES)) lines.push(`  ${trusting}${ownCommand()} replay --url ${own} ${fromHere(TRACES)}`);
  return `${lines.join('\n')}\n`;
}
