import { SOURCE_PIT, SOURCE_RTC } from '../../core/devices/gsi/sources.js';
import { logicalAddress } from '../../core/devices/ioapic/destinations.js';
import { CONTROL_LEGACY_INPUT } from '../../core/machine/control-path.js';
import { MAX_TIME } from '../../core/machine/steps.js';
import type { Access } from '../../protocol/client-message.js';
import type { DestinationFormat, Input } from '../../protocol/names.js';
import { type Completion, Request } from '../../runtime/rings/requests.js';
import * as ring from '../../runtime/rings/submission-ring.js';
import { type BatchRoom, fillResult } from './batch-results.js';
import type { MachineHandle } from './machine-handle.js';

/*
 * Requests of a guest to its machine. Those of one vCPU are executed and answered in order; `MachineHandle.failureOf`
 * tells why an answered one failed. All throw as `MachineHandle.perform`.
 */

interface LogicalId {
  readonly logicalId: number;
  readonly format: DestinationFormat;
}

/** One MMIO access. */
export function accessMmio(machine: MachineHandle, vcpu: number, access: Access, done: Completion): void {
  const { write, address, size, low, high } = access;
  const operation = write ? ring.WRITE : ring.READ;
  machine.perform(new Request(machine.options.slot, vcpu, operation, size, address, low, high, done));
}

/**
 * Executes the accesses from `from` to before `to` at once, until one would have to wait; returns where that is. Their
 * values are in `results`; the answer has to go through `afterEvents`.
 */
export function tryBatch(
  machine: MachineHandle,
  vcpu: number,
  accesses: readonly Access[],
  results: BatchRoom,
  from: number,
  to: number,
): number {
  const inline = machine.inlineFor(vcpu);
  if (!inline) return from;
  const { value } = inline.machine;
  let done = from;
  for (; done < to; done++) {
    const access = accesses[done];
    if (inline.run(access.write ? ring.WRITE : ring.READ, access) !== ring.OK) break;
    fillResult(results, done, undefined, value.lo, value.hi);
  }
  // The events of these must not wait for the rest, which a vCPU thread may need long for.
  if (done > from && done < accesses.length) machine.engine.gateway.host.gatewayBell.ring();
  return done;
}

/** Calls back once the events of `tryBatch` are delivered. */
export function afterEvents(machine: MachineHandle, vcpu: number, done: Completion): void {
  machine.slot.finishBehindEvents(new Request(machine.options.slot, vcpu, ring.NOTHING, 0, 0, 0, 0, done));
}

export function setLine(machine: MachineHandle, vcpu: number, gsi: number, level: number, done: Completion): void {
  machine.perform(new Request(machine.options.slot, vcpu, ring.SET_LINE, 0, gsi, level, 0, done));
}

export function endOfInterrupt(machine: MachineHandle, vcpu: number, vector: number, done: Completion): void {
  machine.perform(new Request(machine.options.slot, vcpu, ring.END_OF_INTERRUPT, 0, 0, vector, 0, done));
}

/** The local APIC of the vCPU gets a logical id. The core has it before it is answered, and each later event. */
export function setLogicalId(
  machine: MachineHandle,
  vcpu: number,
  { logicalId, format }: LogicalId,
  done: Completion,
): void {
  const address = logicalAddress(logicalId, format === 'cluster');
  machine.perform(new Request(machine.options.slot, vcpu, ring.SET_LOGICAL_ADDRESS, 0, vcpu, address, 0, done));
}

/** Reads a byte from a port. */
export function readPort(machine: MachineHandle, vcpu: number, port: number, done: Completion): void {
  machine.perform(new Request(machine.options.slot, vcpu, ring.PORT_READ, 1, port, 0, 0, done));
}

export function writePort(machine: MachineHandle, vcpu: number, port: number, value: number, done: Completion): void {
  machine.perform(new Request(machine.options.slot, vcpu, ring.PORT_WRITE, 1, port, value, 0, done));
}

/** Acknowledge cycle of the 8259 pair: the low half of the result is the vector. */
export function acknowledgeInterrupt(machine: MachineHandle, vcpu: number, done: Completion): void {
  machine.perform(new Request(machine.options.slot, vcpu, ring.INTERRUPT_ACKNOWLEDGE, 0, 0, 0, 0, done));
}

/**
 * Moves a manual clock by `ns`, with `toDeadline` no further than the next deadline; answered when everything that was due has
 * run, with the time that it reached as its address and the next deadline, or 0, as its value. Fails with `step-cancelled` if
 * the machine is reset, paused or deleted meanwhile. Throws also if the clock cannot be moved at all.
 */
export function stepClock(
  machine: MachineHandle,
  vcpu: number,
  ns: number,
  toDeadline: boolean,
  done: Completion,
): void {
  machine.requireSteppable();
  if (ns > MAX_TIME) throw machine.tooFar(ns);
  machine.perform(new Request(machine.options.slot, vcpu, ring.STEP, 0, ns, Number(toDeadline), 0, done));
}

/**
 * Drives an input: that of the PIT or the RTC, which the HPET cuts off in legacy mode, is control work on the main loop
 * (path C); the callback of Xen's event channel comes from a vCPU. Rejects with `no-xen-filter`.
 */
export async function setInput(machine: MachineHandle, input: Input, level: number): Promise<void> {
  if (input !== 'xen') {
    return machine.control(CONTROL_LEGACY_INPUT, (input === 'pit' ? SOURCE_PIT : SOURCE_RTC) * 2 + level);
  }
  const { slot } = machine.options;
  await machine.ask((done) => machine.perform(new Request(slot, 0, ring.XEN_CALLBACK, 0, 0, level, 0, done)));
}

/**
 * The same behind the earlier requests of a vCPU. The caller submits no later one of this vCPU before `done` is called, with why
 * it failed. Throws as `MachineHandle.perform`.
 */
export function setInputInOrder(
  machine: MachineHandle,
  vcpu: number,
  input: Input,
  level: number,
  done: (failure: unknown) => void,
): void {
  const { slot } = machine.options;
  if (input === 'xen') {
    const answered = (request: Request) => done(machine.failureOf(request));
    machine.perform(new Request(slot, vcpu, ring.XEN_CALLBACK, 0, 0, level, 0, answered));
    return;
  }
  const drive = async () => {
    const { requests } = machine.slot;
    // A checkpoint has either the input and its reply, or neither.
    while (requests.isBlocked) await requests.whenUnblocked();
    await Promise.race([setInput(machine, input, level), machine.slot.hang()]);
    machine.requireOpen();
  };
  const fenced = (fence: Request) => {
    const failure = machine.failureOf(fence);
    if (failure) done(failure);
    // The server does not end between the input and its reply.
    else void machine.slot.requests.hold(() => drive().then(() => done(undefined), done));
  };
  machine.perform(new Request(slot, vcpu, ring.NOTHING, 0, 0, 0, 0, fenced));
}
