import { Command } from 'commander';
import type {
  GoneNode,
  NodeDescription,
  PlacementFigures,
  UnstartableMachine,
} from '../server/service/cluster-port.js';
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

operation(
  'nodes',
  'list the nodes: address, room, machines, load, lease; and machines that no node runs',
  'nodes',
).action(async (options: ServerOptions, command: Command) => {
  await askServer(options, command, 'GET', '/v1/cluster', undefined, nodesText);
});

operation('drain', 'move all machines of a node to others; it takes none until it starts again', 'drain n1')
  .argument('<node>', 'name of the node')
  .action(async (node: string, options: ServerOptions, command: Command) => {
    const { stayed } = await askServer(options, command, 'POST', '/v1/cluster/drain', { node }, (answer) =>
      drainText(node, answer),
    );
    if (stayed !== 0) process.exitCode = 1;
  });

interface ClusterAnswer {
  readonly nodes: readonly NodeDescription[];
  readonly gone: readonly GoneNode[];
  readonly placement: PlacementFigures;
  readonly unstartable: readonly UnstartableMachine[];
}

/** One line for each node, and for what an operator has to see to. */
function nodesText(answer: Answer): string {
  const { nodes, gone, placement, unstartable } = answer as Answer & ClusterAnswer;
  const seconds = (ms: number) => (ms / 1000).toFixed(1);
  const lines = nodes.map(({ node, address, room, draining, machines, load, state, leaseMs }) => {
    const takes = draining ? 'drains' : `room for ${room} more machines`;
    const lease = `lease ${state === 'late' ? 'not renewed, ' : ''}for ${seconds(leaseMs)} s`;
    return `${node} ${address} ${takes}, has ${machines}, load ${Math.round(load * 100)} %, ${lease}`;
  });
  lines.push(
    ...gone.map(({ node, address, goneMs }) => `${node} ${address} has had no lease for ${seconds(goneMs)} s`),
  );
  if (placement.withoutOwner) lines.push(`${placement.withoutOwner} machines have no owner`);
  lines.push(...unstartable.map(({ error }) => error.message));
  return lines.map((line) => `${line}\n`).join('');
}

function drainText(node: string, { stayed }: Answer): string {
  if (stayed === 0) return `${node} has no machines\n`;
  return `${stayed} machines stayed on ${node}: other nodes have no room, or the machines hang\n`;
}
