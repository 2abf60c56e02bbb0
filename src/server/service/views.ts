import { GSI_COUNT, GsiRouter } from '../../core/devices/gsi/router.js';
import { sourceName } from '../../core/devices/gsi/sources.js';
import { Hpet } from '../../core/devices/hpet/hpet.js';
import * as H from '../../core/devices/hpet/registers.js';
import { Ioapic } from '../../core/devices/ioapic/ioapic.js';
import * as I from '../../core/devices/ioapic/registers.js';
import { VIEW_HPET, VIEW_INTERRUPT_CONTROLLERS } from '../../core/machine/view.js';
import { MACHINE_WORDS } from '../../core/memory/map.js';
import { SharedMemory } from '../../core/memory/shared-memory.js';
import { U64 } from '../../core/memory/u64.js';
import { DELIVERY_MODE_NAMES } from '../../protocol/names.js';
import { formatValue } from '../../protocol/values.js';
import type { MachineHandle } from './machine-handle.js';
import { describePic } from './pic-view.js';

/**
 * Devices over a copy of their state: what they read from it are the registers as the guest would see them, and nothing
 * that is done to the copy, such as selecting a register of the IOAPIC, reaches the guest.
 */
class ViewCopy {
  readonly memory = new SharedMemory(new SharedArrayBuffer(MACHINE_WORDS * 4));
  readonly #value = new U64();
  readonly hpet: Hpet;
  readonly ioapic: Ioapic;
  readonly router: GsiRouter;

  constructor(
    machine: MachineHandle,
    copy: number,
    readonly virtualTime: number,
  ) {
    const { shared } = machine.engine;
    for (let word = 0; word < MACHINE_WORDS; word++) this.memory.set(word, shared.get(copy + word));
    const now = () => virtualTime;
    const none = () => {};
    this.hpet = new Hpet(this.memory, {
      now,
      arm: none,
      cancel: none,
      setLine: none,
      pulseLine: none,
      sendMsi: none,
      setPitGate: none,
    });
    this.ioapic = new Ioapic(this.memory, {
      now,
      send: none,
      acknowledgeExtInt: () => 0,
      delayService: none,
      cancelDelayedService: none,
      coalesced: none,
    });
    this.router = new GsiRouter(this.memory, { lineChanged: none, driveInput: none });
  }

  /** A 64-bit register of the HPET. */
  register(offset: number): U64 {
    const value = this.#value;
    this.hpet.read(offset, 8, value);
    return new U64().copy(value);
  }

  /** An indirect register of the IOAPIC. */
  indirect(register: number): number {
    this.ioapic.write(I.IOREGSEL, 4, register);
    return this.ioapic.read(I.IOWIN, 4);
  }
}

export function viewHpet(machine: MachineHandle) {
  return machine.view(VIEW_HPET, (copy, virtualTime) => describeHpet(new ViewCopy(machine, copy, virtualTime)));
}

export function viewIoapic(machine: MachineHandle) {
  return machine.view(VIEW_INTERRUPT_CONTROLLERS, (copy, virtualTime) =>
    describeIoapic(new ViewCopy(machine, copy, virtualTime)),
  );
}

function describeHpet(view: ViewCopy) {
  const capabilities = view.register(H.GENERAL_CAPABILITIES);
  const configuration = view.register(H.GENERAL_CONFIGURATION).lo;
  const status = view.register(H.INTERRUPT_STATUS);
  return {
    virtualTime: String(view.virtualTime),
    capabilities: {
      register: hex(capabilities),
      periodFs: String(capabilities.hi),
      vendor: `0x${(capabilities.lo >>> 16).toString(16)}`,
      legacyReplacement: (capabilities.lo & (1 << 15)) !== 0,
      counter64: (capabilities.lo & (1 << 13)) !== 0,
      timers: view.hpet.timers,
      revision: capabilities.lo & 0xff,
    },
    configuration: {
      register: hex(new U64().set(configuration, 0)),
      enabled: (configuration & H.ENABLE_CNF) !== 0,
      legacyReplacement: (configuration & H.LEG_RT_CNF) !== 0,
    },
    status: { register: hex(status), pending: bits(status.lo) },
    counter: hex(view.register(H.MAIN_COUNTER)),
    timers: Array.from({ length: view.hpet.timers }, (_, timer) => describeTimer(view, timer, status.lo)),
  };
}

function describeTimer(view: ViewCopy, timer: number, status: number) {
  const block = H.TIMER_BLOCKS + timer * H.TIMER_BLOCK_SIZE;
  const configuration = view.register(block + H.TIMER_CONFIGURATION);
  const fsb = view.register(block + H.TIMER_FSB_ROUTE);
  const { lo } = configuration;
  const has = (bit: number) => (lo & bit) !== 0;
  return {
    timer,
    register: hex(configuration),
    trigger: has(H.INT_TYPE_CNF) ? 'level' : 'edge',
    enabled: has(H.INT_ENB_CNF),
    periodic: has(H.TYPE_CNF),
    mode32: has(H.MODE32_CNF),
    valueSet: has(H.VAL_SET_CNF),
    route: (lo >> H.INT_ROUTE_SHIFT) & H.INT_ROUTE_MASK,
    fsbEnabled: has(H.FSB_EN_CNF),
    periodicCapable: has(H.PER_INT_CAP),
    size64: has(H.SIZE_CAP),
    fsbCapable: has(H.FSB_INT_DEL_CAP),
    routes: bits(configuration.hi),
    comparator: hex(view.register(block + H.TIMER_COMPARATOR)),
    fsb: { address: formatValue(fsb.hi, 0, 4), data: formatValue(fsb.lo, 0, 4) },
    pending: (status & (1 << timer)) !== 0,
  };
}

function describeIoapic(view: ViewCopy) {
  const select = view.ioapic.read(I.IOREGSEL, 4);
  const id = view.indirect(I.IOAPICID);
  const version = view.indirect(I.IOAPICVER);
  const arbitration = view.indirect(I.IOAPICARB);
  return {
    virtualTime: String(view.virtualTime),
    select: formatValue(select, 0, 1),
    id: (id >>> I.ID_SHIFT) & I.ID_MASK,
    version: formatValue(version & 0xff, 0, 1),
    arbitration: (arbitration >>> I.ID_SHIFT) & I.ID_MASK,
    entries: Array.from({ length: I.PIN_COUNT }, (_, pin) => describeEntry(view, pin)),
    lines: Array.from({ length: GSI_COUNT }, (_, gsi) => ({
      gsi,
      level: view.router.level(gsi),
      sources: bits(view.router.sources(gsi)).map(sourceName),
    })),
    pic: describePic(view.memory),
  };
}

function describeEntry(view: ViewCopy, pin: number) {
  const low = view.indirect(I.IOREDTBL + 2 * pin);
  const high = view.indirect(I.IOREDTBL + 2 * pin + 1);
  return {
    pin,
    register: formatValue(low, high, 8),
    vector: low & I.VECTOR_MASK,
    deliveryMode: DELIVERY_MODE_NAMES[(low >> I.DELIVERY_MODE_SHIFT) & I.DELIVERY_MODE_MASK],
    destinationMode: (low >> I.DESTINATION_MODE_SHIFT) & 1 ? 'logical' : 'physical',
    deliveryStatus: (low & I.DELIVERY_STATUS) !== 0,
    polarity: low & I.POLARITY ? 'low' : 'high',
    remoteIrr: (low & I.REMOTE_IRR) !== 0,
    triggerMode: low & I.TRIGGER_LEVEL ? 'level' : 'edge',
    masked: (low & I.MASKED) !== 0,
    destination: high >>> I.DESTINATION_SHIFT,
    request: view.ioapic.isRequested(pin),
    input: view.ioapic.inputLevel(pin),
  };
}

function hex(value: U64): string {
  return formatValue(value.lo, value.hi, 8);
}

function bits(word: number): number[] {
  return Array.from({ length: 32 }, (_, bit) => bit).filter((bit) => word & (1 << bit));
}
