import { LOCAL_APIC_AREA as AREA } from '../../memory/map.js';
import type { Memory } from '../../memory/memory.js';

export const MAX_VCPUS = 64;

/** Physical APIC ids are vCPU numbers below this one; 0 if the machine does not know its vCPUs. */
const VCPUS = AREA.word('vcpus', 'constant');
/** Per vCPU `logicalAddress`; 0 after power-on. Part of the guest's processors, and of no snapshot. */
const ADDRESSES = AREA.words('address', MAX_VCPUS, 'ioapic');

const CLUSTER = 1 << 8;
const BROADCAST = 0xff;

/** A logical APIC id (8 bits) with its format in one word. */
export function logicalAddress(id: number, isCluster: boolean): number {
  return id | (isCluster ? CLUSTER : 0);
}

export function logicalId(address: number): number {
  return address & 0xff;
}

export function isCluster(address: number): boolean {
  return (address & CLUSTER) !== 0;
}

/** Intel SDM volume 3, 11.6.2.1. */
export function isPhysicalDestination(destination: number, apicId: number): boolean {
  return destination === BROADCAST || destination === apicId;
}

/** Intel SDM volume 3, 11.6.2.2: flat, one bit per APIC; cluster, bits 7:4 a cluster and 3:0 one bit per APIC in it. */
export function isLogicalDestination(destination: number, address: number): boolean {
  if (destination === BROADCAST) return true;
  const common = destination & address & 0xff;
  if (!isCluster(address)) return common !== 0;
  return destination >> 4 === logicalId(address) >> 4 && (common & 0xf) !== 0;
}

/** The addresses of the local APICs, connected or not. The caller holds the IOAPIC's guard. */
export class Destinations {
  constructor(readonly memory: Memory) {}

  /** `addresses`: as `set` left them before the machine was rebuilt. */
  create(vcpus: number, addresses: readonly number[]): void {
    this.memory.set(VCPUS, vcpus);
    for (const [vcpu, address] of addresses.entries()) this.set(vcpu, address);
  }

  set(vcpu: number, address: number): void {
    this.memory.set(ADDRESSES + vcpu, address);
  }

  /** Whether the machine knows its vCPUs; otherwise each message has a recipient. */
  get areKnown(): boolean {
    return this.memory.get(VCPUS) !== 0;
  }

  /** Whether a message with this destination has a recipient. */
  has(destination: number, isLogical: boolean): boolean {
    const { memory } = this;
    const vcpus = memory.get(VCPUS);
    for (let vcpu = 0; vcpu < vcpus; vcpu++) {
      if (
        isLogical
          ? isLogicalDestination(destination, memory.get(ADDRESSES + vcpu))
          : isPhysicalDestination(destination, vcpu)
      ) {
        return true;
      }
    }
    return vcpus === 0;
  }
}
