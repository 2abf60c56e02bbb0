import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Configuration } from '../config/schema.js';
import { fromHere, ownCommand } from './terminal.js';

/** Recorded traces, which a clone has. */
const TRACES = fileURLToPath(new URL('../../../test/vectors', import.meta.url));

/** What `serve` says once it listens: the address, and commands that work when they are copied. */
export function startText(url: string, { machines, tokenFile, tls }: Configuration): string {
  const lines = [`Southbridge listens on ${url}`];
  // Not as an argument, which would be in the shell's history.
  if (tokenFile) lines.push('  read -rs SOUTHBRIDGE_TOKEN && export SOUTHBRIDGE_TOKEN');
  const header = tokenFile && ` -H "authorization: Bearer $SOUTHBRIDGE_TOKEN"`;
  const authority = tls.certFile && fromHere(tls.certFile);
  const curl = `curl${authority && ` --cacert ${authority}`}${header}`;
  const [machine] = machines;
  if (machine) {
    const which = machine.name === 'default' ? '' : ` --machine ${machine.name}`;
    const trusting = authority && `NODE_EXTRA_CA_CERTS=${authority} `;
    lines.push(
      `  ${curl} ${url}/v1/machines/${machine.name}/hpet`,
      `  ${trusting}${ownCommand()} poke read 0xfed00000 --url ${url}${which}`,
    );
  } else {
    lines.push(`  ${curl} -H 'content-type: application/json' -d '{"name":"vm-1"}' ${url}/v1/machines`);
  }
  const trust = authority && `NODE_EXTRA_CA_CERTS=${authority} `;
  if (existsSync(TRACES)) lines.push(`  ${trust}${ownCommand()} replay --url ${url} ${fromHere(TRACES)}`);
  return `${lines.join('\n')}\n`;
}
