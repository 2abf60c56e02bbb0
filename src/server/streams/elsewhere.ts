import type { WebSocket } from 'ws';
import { codecOf } from '../../protocol/codecs.js';
import type { Owner } from '../service/cluster-port.js';
import { MOVED } from '../service/vcpu.js';
import { PROTOCOL_VERSION } from './agreement.js';

/** Tells a client that follows where its machine is, and closes the connection. */
export function sendToOwner(
  socket: WebSocket,
  { machine, vcpu }: { readonly machine: string; readonly vcpu?: string },
  { address, fence }: Owner,
): void {
  const ofVcpu = vcpu !== undefined && { vcpu: Number(vcpu), capabilities: [] };
  const place = { fence, owner: address, nodes: [] };
  const { protocol } = socket;
  socket.send(
    codecOf(protocol).encode({ type: 'hello', version: PROTOCOL_VERSION, machine, ...ofVcpu, sequence: 0, ...place }),
  );
  socket.close(MOVED.code, MOVED.reason);
}
