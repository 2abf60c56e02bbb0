import { Machine } from '../../core/machine/machine.js';
import { GATEWAY_THREAD, machineAt, submissionRingAt } from '../../runtime/memory/shared-map.js';
import { CONTINUE_STEP, READ, STEPPING, SubmissionRing } from '../../runtime/rings/submission-ring.js';
import { ThreadHost } from '../../runtime/threads/host.js';
import { InlineExecution } from '../../runtime/threads/inline.js';
import { History } from './history.js';
import { type ExploredMap, type LogicalThread, makeThread, vcpuThread } from './logical-thread.js';
import { type GuestRequest, operandsOf } from './requests.js';
import { INLINE_SOCKET, Sockets } from './sockets.js';

/** Threads that only generated programs have. */

/** Number in the thread table that no thread of the process has. */
const CLIENT = 59;

/** A vCPU thread, and the gateway's part in its steps: one that is pending is continued. */
export function steppingThread(map: ExploredMap, index: number): LogicalThread {
  const thread = vcpuThread(map, index);
  return {
    ...thread,
    begin(memory, carried) {
      const step = thread.begin(memory, carried);
      const ring = new SubmissionRing(memory(), submissionRingAt(map, index), map.submissions);
      return () => {
        const position = ring.completed();
        const next = step();
        if (ring.completed() === position || ring.status(position) !== STEPPING) return next;
        const rest = { operation: CONTINUE_STEP, size: 0, address: ring.address(position), low: ring.low(position) };
        ring.submit({ ...rest, high: 0 }, machineAt(map, 0));
        return next;
      };
    },
  };
}

/** The gateway executes a request inline; where it cannot, it submits it to a vCPU thread. */
export function inlineThread(map: ExploredMap, request: GuestRequest, vcpu: number): LogicalThread {
  return {
    name: 'gateway',
    id: GATEWAY_THREAD,
    idleAt: -1,
    firstCarried: [],
    history: new History(),
    begin(memory) {
      const shared = memory();
      const host = new ThreadHost(shared, map, false);
      const machine = new Machine(memory(), makeThread(map, GATEWAY_THREAD, shared), host);
      const inline = new InlineExecution(machine, host.events);
      return () => {
        const operands = operandsOf(request);
        const isDone = inline.select(machineAt(map, 0)).run(request.operation, operands) !== undefined;
        if (isDone) {
          const { lo, hi } = machine.value;
          const isRead = request.operation === READ;
          new Sockets(map, shared).reply(INLINE_SOCKET, 0, isRead ? lo : 0, isRead ? hi : 0);
        } else {
          const ring = new SubmissionRing(shared, submissionRingAt(map, vcpu), map.submissions);
          ring.submit({ operation: request.operation, ...operands }, machineAt(map, 0));
          host.vcpuBells[vcpu].ring();
        }
        return undefined;
      };
    },
  };
}

/** The name of a client that submits requests in order. */
export const CLIENT_NAME = 'client';

/** A client submits requests to vCPU 1 once vCPU 0 has answered `count`. */
export function orderedThread(map: ExploredMap, count: number, requests: readonly GuestRequest[]): LogicalThread {
  return {
    name: CLIENT_NAME,
    id: CLIENT,
    idleAt: -1,
    firstCarried: [],
    history: new History(),
    begin(memory) {
      const shared = memory();
      const [first, second] = [0, 1].map(
        (vcpu) => new SubmissionRing(shared, submissionRingAt(map, vcpu), map.submissions),
      );
      const host = new ThreadHost(shared, map, false);
      return () => {
        for (let done = first.completed(); done < count; done = first.completed()) shared.spin(first.completedAt, done);
        for (const request of requests) {
          second.submit({ operation: request.operation, ...operandsOf(request) }, machineAt(map, 0));
        }
        host.vcpuBells[1].ring();
        return undefined;
      };
    },
  };
}
