import { IOAPIC_AREA as AREA } from '../../memory/map.js';
import type { Memory } from '../../memory/memory.js';
import { QUIRKS } from '../quirks.js';
import { Destinations } from './destinations.js';
import * as R from './registers.js';

const VERSION = AREA.word('version', 'constant');
const QUIRK_BITS = AREA.word('quirks', 'constant');
const RESET_ID = AREA.word('resetId', 'constant');
const SELECT = AREA.word('select', 'ioapic');
const ID = AREA.word('id', 'ioapic');
/** Bit n: pin n has a request that was not sent yet (edge), or its line is high (level). */
const REQUESTS = AREA.word('requests', 'ioapic');
/** Bit n: level of input n. */
const INPUTS = AREA.word('inputs', 'ioapic');
const ENTRY_LOW = AREA.words('entry.low', R.PIN_COUNT, 'ioapic');
const ENTRY_HIGH = AREA.words('entry.high', R.PIN_COUNT, 'ioapic');
/** EOIs in a row that found the line of a pin still high. */
const SUCCESSIVE_EOIS = AREA.words('successiveEois', R.PIN_COUNT, 'ioapic');

/** Quirk `eoi-storm`. */
const STORM_EOIS = 10_000;
const STORM_DELAY_NS = 10_000_000;

/** An interrupt message, with the fields of the redirection entry that it comes from. */
export interface IoapicMessage {
  pin: number;
  /** 8 bits. */
  destination: number;
  /** 0 physical, 1 logical. */
  destinationMode: number;
  deliveryMode: number;
  vector: number;
  /** 0 edge, 1 level. */
  trigger: number;
}

export interface IoapicPorts {
  now(): number;
  /** Sends an interrupt message to the local APICs; the object is used again. */
  send(message: Readonly<IoapicMessage>): void;
  /** Interrupt acknowledge cycle of the 8259 pair: the vector of an ExtINT. */
  acknowledgeExtInt(): number;
  /** Calls `serviceDelayed` at `deadline` (virtual ns), or earlier if that was asked for before. */
  delayService(deadline: number): void;
  cancelDelayedService(): void;
  /** A level-triggered input was driven high while remote IRR was set. */
  coalesced(): void;
}

export interface IoapicOptions {
  /** 0x11: 82093AA. 0x20: with an EOI register. */
  readonly version: number;
  /** APIC id after reset, 0 to 15. */
  readonly id: number;
  readonly quirks: number;
  /** Number of vCPUs; 0 if it is not known: then each message is accepted. */
  readonly vcpus: number;
  /** Per vCPU `logicalAddress`; 0 where not given. */
  readonly logicalAddresses: readonly number[];
}

/** I/O APIC with 24 redirection entries. The caller holds the IOAPIC's guard. */
export class Ioapic {
  readonly #destinations: Destinations;
  readonly #message: IoapicMessage = {
    pin: 0,
    destination: 0,
    destinationMode: 0,
    deliveryMode: 0,
    vector: 0,
    trigger: 0,
  };

  constructor(
    readonly memory: Memory,
    readonly ports: IoapicPorts,
  ) {
    this.#destinations = new Destinations(memory);
  }

  create(options: IoapicOptions): void {
    this.memory.set(VERSION, options.version);
    this.memory.set(QUIRK_BITS, options.quirks);
    this.memory.set(RESET_ID, options.id);
    this.#destinations.create(options.vcpus, options.logicalAddresses);
    this.reset();
  }

  /** Registers as after power-on; the levels of the inputs stay. */
  reset(): void {
    this.memory.set(SELECT, 0);
    this.memory.set(ID, this.memory.get(RESET_ID));
    this.memory.set(REQUESTS, 0);
    for (let pin = 0; pin < R.PIN_COUNT; pin++) {
      this.memory.set(ENTRY_LOW + pin, R.MASKED);
      this.memory.set(ENTRY_HIGH + pin, 0);
      this.memory.set(SUCCESSIVE_EOIS + pin, 0);
    }
    this.ports.cancelDelayedService();
  }

  #hasQuirk(bit: number): boolean {
    return (this.memory.get(QUIRK_BITS) & bit) !== 0;
  }

  /** Drives an input to `level`. Input 0 acts on pin 2, with input 2 as a wired OR, or as the last driver decides. */
  setInput(input: number, level: number): void {
    const pin = input === 0 ? 2 : input;
    const bit = 1 << pin;
    const driver = this.#hasQuirk(QUIRKS['last-writer-wins']) ? bit : 1 << input;
    const drivers = driversOf(pin);
    const old = this.memory.get(INPUTS);
    const inputs = level ? old | driver : old & ~driver;
    this.memory.set(INPUTS, inputs);
    const entry = this.memory.get(ENTRY_LOW + pin);
    const requests = this.memory.get(REQUESTS);
    if (this.#isLevel(entry)) {
      // The request follows the line, masked or not.
      const isHigh = (inputs & drivers) !== 0;
      this.memory.set(REQUESTS, isHigh ? requests | bit : requests & ~bit);
      if (isHigh && !(entry & R.REMOTE_IRR)) this.#service();
      else if (level) this.ports.coalesced();
      return;
    }
    const isEdge = (old & drivers) === 0 || this.#hasQuirk(QUIRKS['edge-without-edge']);
    // 3.2.4: edges on a masked pin are lost.
    if (level && isEdge && !(entry & R.MASKED)) {
      this.memory.set(REQUESTS, requests | bit);
      this.#service();
    }
  }

  /** Sends every request that is waiting and may be sent, lowest pin first. */
  #service(): void {
    for (let pin = 0; pin < R.PIN_COUNT; pin++) {
      const bit = 1 << pin;
      const requests = this.memory.get(REQUESTS);
      if (requests < bit) return;
      if (!(requests & bit)) continue;
      const entry = this.memory.get(ENTRY_LOW + pin);
      if (entry & R.MASKED) continue;
      if (this.#isLevel(entry)) {
        if (entry & R.REMOTE_IRR || !this.#isAccepted(pin, entry)) continue;
        this.memory.set(ENTRY_LOW + pin, entry | R.REMOTE_IRR);
      } else {
        this.memory.set(REQUESTS, requests & ~bit);
      }
      this.#send(pin, entry);
    }
  }

  /** 3.2.4: remote IRR is set when a local APIC accepts the message. One that none would accept stays a request. */
  #isAccepted(pin: number, entry: number): boolean {
    if (!this.#hasQuirk(QUIRKS['remote-irr-on-accept'])) return true;
    const destination = this.memory.get(ENTRY_HIGH + pin) >>> R.DESTINATION_SHIFT;
    return this.#destinations.has(destination, ((entry >> R.DESTINATION_MODE_SHIFT) & 1) !== 0);
  }

  /** Whether requests can wait for a vCPU that their entry's destination names. */
  get awaitsAcceptance(): boolean {
    return this.#hasQuirk(QUIRKS['remote-irr-on-accept']) && this.#destinations.areKnown;
  }

  /** A local APIC has this `logicalAddress` from now on: sends the requests that waited for it. */
  setLogicalAddress(vcpu: number, address: number): void {
    this.#destinations.set(vcpu, address);
    this.sendAccepted();
  }

  /** The state was restored, perhaps among other vCPUs: sends the requests that waited for one that is there. */
  sendAccepted(): void {
    if (this.awaitsAcceptance) this.#service();
  }

  #send(pin: number, entry: number): void {
    const deliveryMode = (entry >> R.DELIVERY_MODE_SHIFT) & R.DELIVERY_MODE_MASK;
    const fromPic = deliveryMode === R.EXT_INT && this.#hasQuirk(QUIRKS.extint);
    // Before the message is filled: the acknowledge cycle changes INTR, which can send the next message of this pin.
    const vector = fromPic ? this.ports.acknowledgeExtInt() : entry & R.VECTOR_MASK;
    const message = this.#message;
    message.pin = pin;
    message.destination = this.memory.get(ENTRY_HIGH + pin) >>> R.DESTINATION_SHIFT;
    message.destinationMode = (entry >> R.DESTINATION_MODE_SHIFT) & 1;
    message.deliveryMode = deliveryMode;
    message.vector = vector;
    message.trigger = this.#isLevel(entry) ? 1 : 0;
    this.ports.send(message);
  }

  /** Whether the pin of an entry is level-triggered. */
  #isLevel(entry: number): boolean {
    if (!(entry & R.TRIGGER_LEVEL)) return false;
    const isEdgeMode = (R.EDGE_MODES >> ((entry >> R.DELIVERY_MODE_SHIFT) & R.DELIVERY_MODE_MASK)) & 1;
    return !isEdgeMode || this.#hasQuirk(QUIRKS['level-nmi']);
  }

  /** An EOI for `vector` (32 bits compared) from a local APIC or the EOI register: acts on every level entry with it. */
  endOfInterrupt(vector: number): void {
    for (let pin = 0; pin < R.PIN_COUNT; pin++) {
      const entry = this.memory.get(ENTRY_LOW + pin);
      if ((entry & R.VECTOR_MASK) !== vector || !(entry & R.REMOTE_IRR) || !this.#isLevel(entry)) continue;
      this.memory.set(ENTRY_LOW + pin, entry & ~R.REMOTE_IRR);
      if (entry & R.MASKED || !(this.memory.get(REQUESTS) & (1 << pin))) {
        this.memory.set(SUCCESSIVE_EOIS + pin, 0);
      } else {
        this.#deliverAgain(pin);
      }
    }
  }

  #deliverAgain(pin: number): void {
    const successive = this.memory.get(SUCCESSIVE_EOIS + pin) + 1;
    this.memory.set(SUCCESSIVE_EOIS + pin, successive);
    if (successive >= STORM_EOIS && this.#hasQuirk(QUIRKS['eoi-storm'])) {
      // Gives a guest that cannot handle the interrupt a chance to run.
      this.memory.set(SUCCESSIVE_EOIS + pin, 0);
      this.ports.delayService(this.ports.now() + STORM_DELAY_NS);
    } else {
      this.#service();
    }
  }

  /** Level of a pin. */
  inputLevel(pin: number): number {
    return this.memory.get(INPUTS) & driversOf(pin) ? 1 : 0;
  }

  /** Whether a pin has a request that was not sent yet (edge), or its line is high (level). */
  isRequested(pin: number): boolean {
    return (this.memory.get(REQUESTS) & (1 << pin)) !== 0;
  }

  /** The deadline of `delayService` has come. */
  serviceDelayed(): void {
    this.#service();
  }

  /** Reads `size` bytes (1, 2 or 4), naturally aligned. */
  read(offset: number, size: number): number {
    switch (offset & R.IOAPIC_DECODED) {
      case R.IOREGSEL:
        return this.memory.get(SELECT);
      case R.IOWIN:
        return size === 4 ? this.#readIndirect(this.memory.get(SELECT)) : 0;
      default:
        return 0;
    }
  }

  #readIndirect(register: number): number {
    switch (register) {
      case R.IOAPICID:
      case R.IOAPICARB:
        return (this.memory.get(ID) << R.ID_SHIFT) >>> 0;
      case R.IOAPICVER:
        return ((R.PIN_COUNT - 1) << 16) | this.memory.get(VERSION);
      default: {
        const pin = (register - R.IOREDTBL) >> 1;
        if (pin < 0 || pin >= R.PIN_COUNT) return 0;
        return this.memory.get((register & 1 ? ENTRY_HIGH : ENTRY_LOW) + pin) >>> 0;
      }
    }
  }

  /** Writes `size` bytes (1, 2 or 4), naturally aligned. */
  write(offset: number, size: number, value: number): void {
    switch (offset & R.IOAPIC_DECODED) {
      case R.IOREGSEL:
        this.memory.set(SELECT, value & 0xff);
        break;
      case R.IOWIN:
        if (size === 4) this.#writeIndirect(this.memory.get(SELECT), value);
        break;
      case R.IOEOI:
        if (size === 4 && this.memory.get(VERSION) === R.VERSION_WITH_EOI) this.endOfInterrupt(value);
        break;
    }
  }

  #writeIndirect(register: number, value: number): void {
    if (register === R.IOAPICID) {
      this.memory.set(ID, (value >>> R.ID_SHIFT) & R.ID_MASK);
      return;
    }
    const pin = (register - R.IOREDTBL) >> 1;
    if (pin < 0 || pin >= R.PIN_COUNT) return;
    if (register & 1) {
      this.memory.set(ENTRY_HIGH + pin, value);
    } else {
      const old = this.memory.get(ENTRY_LOW + pin);
      let entry = (value & ~R.READ_ONLY) | (old & R.READ_ONLY);
      if (!this.#isLevel(entry)) entry &= ~R.REMOTE_IRR;
      this.memory.set(ENTRY_LOW + pin, entry);
      this.#changeTrigger(pin, this.#isLevel(old), this.#isLevel(entry));
    }
    this.memory.set(SUCCESSIVE_EOIS + pin, 0);
    this.#service();
  }

  /** An entry was written: a request by level is one as long as the line is high, and the entry level-triggered. */
  #changeTrigger(pin: number, wasLevel: boolean, isLevel: boolean): void {
    const bit = 1 << pin;
    const requests = this.memory.get(REQUESTS);
    if (!isLevel) {
      if (wasLevel && !this.#hasQuirk(QUIRKS['level-sent-as-edge'])) this.memory.set(REQUESTS, requests & ~bit);
    } else if (!wasLevel && !this.#hasQuirk(QUIRKS['level-needs-rise'])) {
      this.memory.set(REQUESTS, this.inputLevel(pin) ? requests | bit : requests & ~bit);
    }
  }
}

/** The inputs that act on a pin, as bits. */
function driversOf(pin: number): number {
  return pin === 2 ? (1 << 2) | (1 << 0) : 1 << pin;
}
