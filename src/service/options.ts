import type { MachineConfig } from '../config/machine.js';

/** What the service needs of the configuration. */
export interface ServiceOptions {
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
  readonly vcpuThreads: number;
  /** Host names that requests may name, beside loopback and the address that they reached. */
  readonly allowedHosts: readonly string[];
  /** Origins, such as `https://example.org`, whose pages may use the server beside its own. */
  readonly allowedOrigins: readonly string[];
  readonly limits: Limits;
  /** Made at the start. */
  readonly machines: readonly MachineConfig[];
}

export interface Limits {
  readonly machines: number;
  /** WebSocket connections. */
  readonly connections: number;
  readonly bodyBytes: number;
  readonly frameBytes: number;
  readonly batchAccesses: number;
  /** Requests of one connection that may be under way before it is read no further. */
  readonly requestsUnderWay: number;
  /** Interrupts and events that wait for one vCPU or subscriber that is away or reads too slowly. */
  readonly pendingInterrupts: number;
  /** Bytes handed to the operating system for one connection before it counts as reading too slowly. */
  readonly bufferedBytes: number;
}
