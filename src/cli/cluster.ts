import { Command } from 'commander';
import type { NodeDescription } from '../server/service/cluster-port.js';
import { serverUrl } from './arguments.js';
import { type Answer, askServer, SERVER_STATUS, type ServerOptions } from './server-request.js';
import { tokenFileOption } from './token-option.js';

const STATUS: { readonly [name: string]: string } = {
  drain: '\nExit status: 0 no machine is left on the node, 1 some stayed, 2 a node refused or\ncannot be reached.',
};

export const cluster = new Command('cluster')
  .description('show the nodes of a cluster, or move all machines of a node to others')
  .addHelpText('after', '\nExample:\n  npx southbridge cluster drain n1 --url http://127.0.0.1:8080');

function operation(name: string, description: string, example: string): Command {
  return cluster
    .command(name)
    .description(description)
    .option('--url <url>', 'of any node', serverUrl, 'http://127.0.0.1:8080')
    .addOption(tokenFileOption())
    .option('--json', 'print one JSON object')
    .addHelpText('after', `${STATUS[name] ?? SERVER_STATUS}\n\nExample:\n  npx southbridge cluster ${example}`);
}

operation('nodes', 'list the nodes: name, address, room for machines', 'nodes').action(
  async (options: ServerOptions, command: Command) => {
    await askServer(options, command, 'GET', '/v1/cluster', undefined, nodesText);
  },
);

operation('drain', 'move all machines of a node to others; it takes none until it starts again', 'drain n1')
  .argument('<node>', 'name of the node')
  .action(async (node: string, options: ServerOptions, command: Command) => {
    const { stayed } = await askServer(options, command, 'POST', '/v1/cluster/drain', { node }, (answer) =>
      drainText(node, answer),
    );
    if (stayed !== 0) process.exitCode = 1;
  });

function nodesText(answer: Answer): string {
  const nodes = answer.nodes as readonly NodeDescription[];
  const lines = nodes.map(({ node, address, room, draining }) => {
    const state = draining ? 'drains' : `room for ${room} more machines`;
    return `${node} ${address} ${state}\n`;
  });
  return lines.join('');
}

function drainText(node: string, { stayed }: Answer): string {
  if (stayed === 0) return `${node} has no machines\n`;
  return `${stayed} machines stayed on ${node}: other nodes have no room, or the machines hang\n`;
}
