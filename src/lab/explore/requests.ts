import * as G from '../../core/devices/guest-map.js';
import * as R from '../../core/devices/hpet/registers.js';
import * as ring from '../../runtime/rings/submission-ring.js';

/** One request of a vCPU, as the gateway puts it into the ring of its thread. */
export interface GuestRequest {
  readonly operation: number;
  readonly size: number;
  readonly address: number;
  readonly value: number;
  /**
   * An event that the request causes under every design, by kind and place (`machine/events.ts`); it precedes the reply.
   */
  readonly causes?: { readonly kind: number; readonly place: number };
}

/** What the operation of a request works on, as a ring has it. */
export function operandsOf({ size, address, value }: GuestRequest) {
  return { size, address, low: value >>> 0, high: Math.floor(value / 2 ** 32) };
}

export function write(address: number, value: number, size = 8): GuestRequest {
  return { operation: ring.WRITE, size, address, value };
}

export function read(address: number, size = 8): GuestRequest {
  return { operation: ring.READ, size, address, value: 0 };
}

export function portWrite(port: number, value: number): GuestRequest {
  return { operation: ring.PORT_WRITE, size: 0, address: port, value };
}

/** The interrupt acknowledge cycle of a processor. */
export const acknowledge: GuestRequest = { operation: ring.INTERRUPT_ACKNOWLEDGE, size: 0, address: 0, value: 0 };

/** An external driver sets a GSI. */
export function line(gsi: number, level: number): GuestRequest {
  return { operation: ring.SET_LINE, size: 0, address: gsi, value: level };
}

export function endOfInterrupt(vector: number): GuestRequest {
  return { operation: ring.END_OF_INTERRUPT, size: 0, address: 0, value: vector };
}

/** A vCPU's local APIC has this logical id, in flat format. */
export function logicalId(vcpu: number, id: number): GuestRequest {
  return { operation: ring.SET_LOGICAL_ADDRESS, size: 0, address: vcpu, value: id };
}

/** The level of the callback of Xen's event channel. */
export function xenCallback(level: number): GuestRequest {
  return { operation: ring.XEN_CALLBACK, size: 0, address: 0, value: level };
}

/** `request`, with an event that it causes under every design; `place` is its GSI, pin or timer. */
export function causing(request: GuestRequest, kind: number, place: number): GuestRequest {
  return { ...request, causes: { kind, place } };
}

/** Guest physical addresses of the HPET's registers, and bits of its timers' configuration. */
export const HPET = {
  CONFIGURATION: G.HPET_CONFIGURATION,
  STATUS: G.HPET_STATUS,
  COUNTER: G.HPET_COUNTER,
  timer: G.hpetTimer,
  comparator: G.hpetComparator,
  fsbRoute: G.hpetFsbRoute,
  ON: R.ENABLE_CNF,
  LEGACY: R.LEG_RT_CNF,
  LEVEL: R.INT_TYPE_CNF,
  ENABLE: R.INT_ENB_CNF,
  PERIODIC: R.TYPE_CNF,
  VAL_SET: R.VAL_SET_CNF,
  BITS_32: R.MODE32_CNF,
  FSB: R.FSB_EN_CNF,
  route: (line: number) => line << R.INT_ROUTE_SHIFT,
};

/** Guest physical addresses of the IOAPIC, and numbers of its redirection entries. */
export const IOAPIC = {
  SELECT: G.IOAPIC_SELECT,
  WINDOW: G.IOAPIC_WINDOW,
  entry: G.redirectionEntry,
};
