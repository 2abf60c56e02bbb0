import { eventPlace } from '../../core/machine/events.js';
import type { Memory } from '../../core/memory/memory.js';
import type { MachineEvent } from '../../runtime/events/event-ring.js';
import { FIRST_VCPU_THREAD, GATEWAY_THREAD } from '../../runtime/memory/shared-map.js';
import { type MachineRequests, Request } from '../../runtime/rings/requests.js';
import { Gateway } from '../../runtime/threads/gateway.js';
import { History } from './history.js';
import { type ExploredMap, type LogicalThread, makeThread } from './logical-thread.js';
import type { Scenario } from './scenario.js';
import { Sockets } from './sockets.js';

/** Numbers in the thread table that no thread of the process has. */
const FIRST_CLIENT = 60;

/** The client of a vCPU's socket: its frames arrive in order, at any time. */
export function clientThread(map: ExploredMap, vcpu: number, frames: number): LogicalThread {
  return {
    name: `client ${vcpu}`,
    id: FIRST_CLIENT + vcpu,
    idleAt: -1,
    firstCarried: [frames],
    history: new History(),
    begin(memory, [left]) {
      const sockets = new Sockets(map, memory());
      return () => {
        sockets.send(vcpu);
        return left > 1 ? [left - 1] : undefined;
      };
    },
  };
}

/** The gateway: a step takes one frame, runs one turn, or sleeps. Events up to position `drained` are delivered. */
export function gatewayThread(map: ExploredMap, scenario: Scenario, drained: number): LogicalThread {
  return {
    name: 'gateway',
    id: GATEWAY_THREAD,
    idleAt: map.gatewayBell,
    firstCarried: [0, drained, ...scenario.vcpus.flatMap(() => [0, 0, 0, 0]), 0],
    history: new History(),
    begin(memory, carried) {
      const gateway = new ExploredGateway(map, scenario, memory);
      gateway.recall(carried);
      return () => {
        gateway.step();
        return gateway.carried();
      };
    },
  };
}

const AWAKE = -1;

/** A frame that became a request. */
interface Frame {
  readonly vcpu: number;
  readonly frame: number;
}

/** The gateway with the sockets around it, in place of Node's event loop. */
class ExploredGateway {
  readonly gateway: Gateway;
  readonly #shared: Memory;
  readonly #sockets: Sockets;
  /** Per vCPU: frames that were taken from its socket. */
  readonly #taken: number[];
  readonly #requests: MachineRequests;
  readonly #frames = new Map<Request, Frame>();
  /** The rings of the bell on which it sleeps, or AWAKE. */
  #sleepsOn = AWAKE;

  constructor(
    readonly map: ExploredMap,
    readonly scenario: Scenario,
    memory: () => Memory,
  ) {
    this.#shared = memory();
    this.#sockets = new Sockets(map, this.#shared);
    const ports = {
      deliver: (_slot: number, event: MachineEvent) => this.#deliver(event),
      hang() {},
    };
    const thread = makeThread(map, GATEWAY_THREAD, this.#shared);
    this.gateway = new Gateway(thread, memory(), map, ports, scenario.gateway ?? {});
    this.gateway.states.add(0);
    this.#taken = scenario.vcpus.map(() => 0);
    this.#requests = this.gateway.newRecord(0);
    for (let vcpu = 0; vcpu < scenario.vcpus.length; vcpu++) {
      this.gateway.vcpus.push(this.gateway.dispatch(FIRST_VCPU_THREAD + vcpu, vcpu, vcpu));
    }
  }

  step(): void {
    const vcpu = this.#taken.findIndex((taken, vcpu) => this.#hasFrame(vcpu, taken));
    if (vcpu >= 0) this.#take(vcpu);
    else if (this.#sleepsOn === AWAKE) this.#sleepsOn = this.gateway.step() ?? AWAKE;
    else this.#sleep();
  }

  #hasFrame(vcpu: number, taken: number): boolean {
    return taken < this.scenario.vcpus[vcpu].length && this.#sockets.arrived(vcpu) > taken;
  }

  /** Sleeps until the doorbell rings or a frame arrives, which may be at any time. */
  #sleep(): void {
    const { rings } = this.gateway.host.gatewayBell;
    const framesToCome = this.#taken.some((taken, vcpu) => taken < this.scenario.vcpus[vcpu].length);
    this.#shared.wait(rings, this.#sleepsOn, framesToCome ? 0 : undefined);
    if (this.#shared.load(rings) === this.#sleepsOn) return;
    this.#sleepsOn = AWAKE;
    this.gateway.wake();
  }

  #take(vcpu: number): void {
    this.#requests.admit(this.#requestOf(vcpu, this.#taken[vcpu]++));
  }

  #requestOf(vcpu: number, frame: number): Request {
    const { operation, size, address, value } = this.scenario.vcpus[vcpu][frame];
    const [low, high] = [value >>> 0, Math.floor(value / 2 ** 32)];
    const request = new Request(0, vcpu, operation, size, address, low, high, (answered) =>
      this.#sockets.reply(vcpu, frame, answered.low, answered.high),
    );
    this.#frames.set(request, { vcpu, frame });
    return request;
  }

  #deliver(event: MachineEvent): void {
    if (this.scenario.program) this.#sockets.log(event);
    this.scenario.vcpus.forEach((frames, vcpu) => {
      frames.forEach(({ causes }, frame) => {
        if (causes && causes.kind === event.kind && causes.place === eventPlace(event))
          this.#sockets.deliver(vcpu, frame);
      });
    });
  }

  // From one step to the next

  carried(): number[] {
    const { gateway } = this;
    return [
      this.#sleepsOn + 1,
      gateway.drained,
      ...this.#taken.flatMap((taken, vcpu) => {
        const { answered, pending, held } = gateway.vcpus[vcpu];
        const back = held.get(0);
        return [
          ...[taken, answered, ...this.#listed(pending)],
          ...(back ? [back.inRing + 1, ...this.#listed(back.returned), ...this.#listed(back.later)] : [0]),
        ];
      }),
      gateway.inlineResults.length,
      ...gateway.inlineResults.flatMap(({ behind, request }) => {
        const { vcpu, frame } = this.#frames.get(request) as Frame;
        return [behind, vcpu, frame, request.low, request.high];
      }),
    ];
  }

  #listed(requests: readonly Request[]): number[] {
    return [requests.length, ...requests.map((request) => (this.#frames.get(request) as Frame).frame)];
  }

  recall(carried: readonly number[]): void {
    const { gateway } = this;
    let next = 0;
    const requests = (vcpu: number) =>
      Array.from({ length: carried[next++] }, () => this.#recall(vcpu, carried[next++]));
    this.#sleepsOn = carried[next++] - 1;
    gateway.drained = carried[next++];
    for (let vcpu = 0; vcpu < this.#taken.length; vcpu++) {
      this.#taken[vcpu] = carried[next++];
      gateway.vcpus[vcpu].answered = carried[next++];
      gateway.vcpus[vcpu].pending.push(...requests(vcpu));
      const inRing = carried[next++] - 1;
      if (inRing < 0) continue;
      const [returned, later] = [requests(vcpu), requests(vcpu)];
      gateway.vcpus[vcpu].held.set(0, { returned, later, inRing });
    }
    for (let left = carried[next++]; left > 0; left--) {
      const [behind, vcpu, frame, low, high] = carried.slice(next, next + 5);
      next += 5;
      const request = this.#requestOf(vcpu, frame);
      request.low = low;
      request.high = high;
      this.#requests.admitCompleted(request);
      gateway.inlineResults.push({ behind, request });
    }
  }

  #recall(vcpu: number, frame: number): Request {
    const request = this.#requestOf(vcpu, frame);
    this.#requests.admitDispatched(request);
    return request;
  }
}
