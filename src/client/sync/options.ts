import type { Unassigned } from '../access.js';
import type { Reconnection } from '../reconnection.js';
import type { VcpuEvent } from '../vcpu.js';
import type { Bell } from './bell.js';

export interface SyncVcpuOptions {
  /** Bearer token, where the server wants one. */
  readonly token?: string;
  /** Of the connection that holds the vCPU now, to take over from it. */
  readonly resumeToken?: string;
  readonly reconnect?: Reconnection | false;
  /** Milliseconds within which the server's first message has to come after a try to connect begins. 10,000 if not given. */
  readonly connectMs?: number;
  /** False: in a cluster, nodes forward the frames; the client does not connect to the node that has the machine. */
  readonly follow?: boolean;
  /**
   * Called in the caller's thread, before a call returns, with what arrived before its reply; in order, and once for each
   * event. It may make calls itself. If it throws, the call throws, and later events follow with the next call.
   */
  readonly onEvent?: (event: VcpuEvent) => void;
  /** To wait for several vCPUs at once, to be woken by another thread, or to wait without blocking. */
  readonly bell?: Bell;
  /** What becomes of accesses to addresses that no device has. `error` if not given. */
  readonly unassigned?: Unassigned;
  /** Milliseconds after which a call gives up, also one that waits for a connection. 30,000 if not given. */
  readonly timeoutMs?: number;
  /** Events kept for a caller that does not call, beside 1 MiB of them; a gap stands for those beyond. 65,536 if not given. */
  readonly eventLimit?: number;
  /** Posted writes that may wait for a connection; one more is refused. 65,536 if not given. */
  readonly waitingRequests?: number;
}
