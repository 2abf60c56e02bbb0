import { isLogicalDestination, isPhysicalDestination } from '../../core/devices/ioapic/destinations.js';
import type { IoapicMessage } from '../../core/devices/ioapic/ioapic.js';
import {
  DELIVERY_MODE_MASK,
  DELIVERY_MODE_SHIFT,
  TRIGGER_MODE_SHIFT,
  VECTOR_MASK,
} from '../../core/devices/ioapic/registers.js';
import type { ApicFields } from '../../protocol/server-message.js';

const LOWEST_PRIORITY = 1;

/** An interrupt message to the local APICs. */
export interface ApicMessage extends ApicFields {
  /** Whether exactly one of those addressed is to take it. */
  readonly one: boolean;
}

/** A local APIC as far as messages are addressed to it. */
export interface LocalApic {
  /** The physical APIC id. */
  readonly vcpu: number;
  /** `devices/ioapic/destinations.ts`; 0 addresses nothing. */
  readonly logicalAddress: number;
  readonly connected: boolean;
}

/** MSI: Intel SDM volume 3, 11.11. Undefined for a write that reaches no local APIC. */
export function decodeMsi(address: number, data: number): ApicMessage | undefined {
  if (address >>> 20 !== 0xfee) return undefined;
  const deliveryMode = (data >>> DELIVERY_MODE_SHIFT) & DELIVERY_MODE_MASK;
  const redirected = (address & (1 << 3)) !== 0;
  return {
    destination: (address >>> 12) & 0xff,
    logical: (address & (1 << 2)) !== 0,
    deliveryMode,
    vector: data & VECTOR_MASK,
    level: ((data >>> TRIGGER_MODE_SHIFT) & 1) !== 0,
    one: deliveryMode === LOWEST_PRIORITY || redirected,
  };
}

/** A message that the IOAPIC sends. */
export function decodeIoapicMessage(message: Readonly<IoapicMessage>): ApicMessage {
  const { destination, destinationMode, deliveryMode, vector, trigger } = message;
  return {
    destination,
    logical: destinationMode !== 0,
    deliveryMode,
    vector: vector & VECTOR_MASK,
    level: trigger !== 0,
    one: deliveryMode === LOWEST_PRIORITY,
  };
}

/**
 * The local APICs that a message addresses. The server knows no task priorities: of several candidates for the lowest
 * one it takes the first that is connected, else the first.
 */
export function addressed<T extends LocalApic>(message: ApicMessage, apics: readonly T[]): T[] {
  const candidates = apics.filter((apic) =>
    message.logical
      ? isLogicalDestination(message.destination, apic.logicalAddress)
      : isPhysicalDestination(message.destination, apic.vcpu),
  );
  if (!message.one || candidates.length <= 1) return candidates;
  return [candidates.find(({ connected }) => connected) ?? candidates[0]];
}
