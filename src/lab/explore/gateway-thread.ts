import { eventPlace } from '../../core/machine/events.js';
import type { Memory } from '../../core/memory/memory.js';
import type { MachineEvent } from '../../runtime/events/event-ring.js';
import { type MachineRequests, Request } from '../../runtime/rings/requests.js';
import { Gateway } from '../../runtime/threads/gateway.js';
import { FIRST_VCPU_THREAD, GATEWAY_THREAD } from '../../runtime/threads/shared-map.js';
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
    firstCarried: [0, drained, ...scenario.vcpus.flatMap(() => [0, 0, 0]), 0],
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

/** A frame that the gateway executed inline. Its reply follows its events. */
interface InlineFrame {
  readonly behind: number;
  readonly vcpu: number;
  readonly frame: number;
  readonly low: number;
  readonly high: number;
}

/** The gateway with the sockets around it, in place of Node's event loop. */
class ExploredGateway {
  readonly gateway: Gateway;
  readonly #shared: Memory;
  readonly #sockets: Sockets;
  /** Per vCPU: frames that were taken from its socket. */
  readonly #taken: number[];
  readonly #requests: MachineRequests;
  /** Per vCPU: frames dispatched and in flight, in order. */
  readonly #pending: number[][];
  readonly #inline: InlineFrame[] = [];
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
    this.#pending = scenario.vcpus.map(() => []);
    for (let vcpu = 0; vcpu < scenario.vcpus.length; vcpu++) {
      this.gateway.vcpus.push(this.gateway.dispatch(FIRST_VCPU_THREAD + vcpu, vcpu));
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
    const frame = this.#taken[vcpu]++;
    const before = this.gateway.inlineResults.length;
    const onThread = this.#requests.onThread(vcpu);
    const request = this.#requestOf(vcpu, frame);
    this.#requests.admit(request);
    const { inlineResults } = this.gateway;
    if (inlineResults.length > before) {
      this.#inline.push({ behind: inlineResults[before].behind, vcpu, frame, low: request.low, high: request.high });
    } else if (this.#requests.onThread(vcpu) > onThread) this.#pending[vcpu].push(frame);
  }

  #requestOf(vcpu: number, frame: number): Request {
    const { operation, size, address, value } = this.scenario.vcpus[vcpu][frame];
    return new Request(0, vcpu, operation, size, address, value >>> 0, Math.floor(value / 2 ** 32), ({ low, high }) => {
      this.#sockets.reply(vcpu, frame, low, high);
      if (this.#pending[vcpu][0] === frame) this.#pending[vcpu].shift();
      else if (this.#inline[0]?.vcpu === vcpu && this.#inline[0].frame === frame) this.#inline.shift();
    });
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
        const pending = this.#pending[vcpu];
        return [taken, gateway.vcpus[vcpu].answered, pending.length, ...pending];
      }),
      this.#inline.length,
      ...this.#inline.flatMap(({ behind, vcpu, frame, low, high }) => [behind, vcpu, frame, low, high]),
    ];
  }

  recall(carried: readonly number[]): void {
    const { gateway } = this;
    let next = 0;
    this.#sleepsOn = carried[next++] - 1;
    gateway.drained = carried[next++];
    for (let vcpu = 0; vcpu < this.#taken.length; vcpu++) {
      this.#taken[vcpu] = carried[next++];
      gateway.vcpus[vcpu].answered = carried[next++];
      for (let left = carried[next++]; left > 0; left--) this.#recallPending(vcpu, carried[next++]);
    }
    for (let left = carried[next++]; left > 0; left--) {
      const [behind, vcpu, frame, low, high] = carried.slice(next, next + 5);
      next += 5;
      this.#recallInline({ behind, vcpu, frame, low, high });
    }
  }

  #recallPending(vcpu: number, frame: number): void {
    const request = this.#requestOf(vcpu, frame);
    this.#requests.admitDispatched(request);
    this.#pending[vcpu].push(frame);
    this.gateway.vcpus[vcpu].pending.push(request);
  }

  #recallInline(result: InlineFrame): void {
    const { behind, vcpu, frame, low, high } = result;
    const request = this.#requestOf(vcpu, frame);
    request.low = low;
    request.high = high;
    this.#inline.push(result);
    this.#requests.admitCompleted(request);
    this.gateway.inlineResults.push({ behind, request });
  }
}
