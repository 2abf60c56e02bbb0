import type { ServerResponse } from 'node:http';
import type { Flow } from '../flow/flow.js';
import type { ClusterEvent } from '../service/cluster-port.js';
import { clusterEventText, type EventSourcePeer } from './event-source.js';
import { filteredEvent, type IrqFilter } from './irq-filter.js';

function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => response.once('drain', resolve));
}

/**
 * Sends a reader the events of a machine that the nodes of the cluster share, as fast as it reads them, then ends the
 * response. Returns why the stream failed, if it did: the reader connects again.
 */
export async function sendClusterEvents(
  events: AsyncIterable<ClusterEvent>,
  machine: string,
  resumed: boolean,
  peer: EventSourcePeer,
  filter: IrqFilter,
  flow: Flow,
): Promise<unknown> {
  const { response } = peer;
  const closed = new Promise<void>((resolve) => response.once('close', resolve));
  try {
    for await (const event of events) {
      if (peer.readyState !== peer.OPEN) break;
      if (event.type === 'gap') flow.drops.events.gaps++;
      if (event.type === 'irq' && !filter.passes(filteredEvent(event.event))) continue;
      peer.send(clusterEventText(event, machine, resumed));
      if (response.writableNeedDrain) await Promise.race([drained(response), closed]);
    }
    return undefined;
  } catch (error) {
    return error;
  } finally {
    peer.close();
  }
}
