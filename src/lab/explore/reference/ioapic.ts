import * as R from '../../../core/devices/ioapic/registers.js';
import type { ReferenceEvent } from './events.js';

/** After so many EOIs in a row that find the line high, the next delivery waits. */
const STORM_EOIS = 10_000;
const STORM_NS = 10_000_000n;

interface Ports {
  emit(event: ReferenceEvent): void;
  acknowledgePic(): number;
  /** Calls `service` at a time in ns, or before. */
  delay(deadline: bigint): void;
  cancelDelay(): void;
}

/** The IOAPIC as QEMU 11.1 has it. */
export class IoapicModel {
  select = 0;
  id: number;
  low = new Array<number>(R.PIN_COUNT).fill(R.MASKED);
  high = new Array<number>(R.PIN_COUNT).fill(0);
  /** Bit n: pin n has a request. */
  requests = 0;
  /** EOIs in a row that found the line high. */
  eois = new Array<number>(R.PIN_COUNT).fill(0);

  constructor(
    readonly version: number,
    readonly firstId: number,
    readonly ports: Ports,
  ) {
    this.id = firstId;
  }

  copyFrom(other: IoapicModel): void {
    this.select = other.select;
    this.id = other.id;
    this.low = [...other.low];
    this.high = [...other.high];
    this.requests = other.requests;
    this.eois = [...other.eois];
  }

  reset(): void {
    this.select = 0;
    this.id = this.firstId;
    this.low.fill(R.MASKED);
    this.high.fill(0);
    this.requests = 0;
    this.eois.fill(0);
    this.ports.cancelDelay();
  }

  /** Input 0 is pin 2. A pin has the level that was driven last. */
  setInput(input: number, level: number): void {
    const pin = input === 0 ? 2 : input;
    const bit = 1 << pin;
    const entry = this.low[pin];
    if (entry & R.TRIGGER_LEVEL) {
      this.requests = level ? this.requests | bit : this.requests & ~bit;
      if (level && !(entry & R.REMOTE_IRR)) this.service();
    } else if (level && !(entry & R.MASKED)) {
      this.requests |= bit;
      this.service();
    }
  }

  /** Sends what may be sent, lowest pin first. */
  service(): void {
    for (let pin = 0; pin < R.PIN_COUNT; pin++) {
      const entry = this.low[pin];
      if (!(this.requests & (1 << pin)) || entry & R.MASKED) continue;
      if (!(entry & R.TRIGGER_LEVEL)) this.requests &= ~(1 << pin);
      else if (entry & R.REMOTE_IRR) continue;
      else this.low[pin] |= R.REMOTE_IRR;
      this.#send(pin, entry);
    }
  }

  #send(pin: number, entry: number): void {
    const deliveryMode = (entry >> R.DELIVERY_MODE_SHIFT) & R.DELIVERY_MODE_MASK;
    this.ports.emit({
      kind: 'apic',
      pin,
      vector: deliveryMode === R.EXT_INT ? this.ports.acknowledgePic() : entry & R.VECTOR_MASK,
      destination: this.high[pin] >>> R.DESTINATION_SHIFT,
      destinationMode: (entry >> R.DESTINATION_MODE_SHIFT) & 1,
      deliveryMode,
      trigger: entry & R.TRIGGER_LEVEL ? 1 : 0,
    });
  }

  endOfInterrupt(vector: number, now: bigint): void {
    for (let pin = 0; pin < R.PIN_COUNT; pin++) {
      const entry = this.low[pin];
      if ((entry & R.VECTOR_MASK) !== vector || !(entry & R.REMOTE_IRR) || !(entry & R.TRIGGER_LEVEL)) continue;
      this.low[pin] &= ~R.REMOTE_IRR;
      if (entry & R.MASKED || !(this.requests & (1 << pin))) {
        this.eois[pin] = 0;
      } else if (++this.eois[pin] < STORM_EOIS) {
        this.service();
      } else {
        this.eois[pin] = 0;
        this.ports.delay(now + STORM_NS);
      }
    }
  }

  read(offset: number, size: number): number {
    const register = offset & R.IOAPIC_DECODED;
    if (register === R.IOREGSEL) return this.select;
    if (register !== R.IOWIN || size !== 4) return 0;
    if (this.select === R.IOAPICID || this.select === R.IOAPICARB) return this.id << R.ID_SHIFT;
    if (this.select === R.IOAPICVER) return ((R.PIN_COUNT - 1) << 16) | this.version;
    return this.#selected?.[this.#pin] ?? 0;
  }

  write(offset: number, size: number, value: number, now: bigint): void {
    const register = offset & R.IOAPIC_DECODED;
    if (register === R.IOREGSEL) this.select = value & 0xff;
    if (size !== 4) return;
    if (register === R.IOWIN) this.#writeWindow(value);
    if (register === R.IOEOI && this.version === R.VERSION_WITH_EOI) this.endOfInterrupt(value, now);
  }

  #writeWindow(value: number): void {
    const pin = this.#pin;
    const half = this.#selected;
    if (this.select === R.IOAPICID) this.id = (value >>> R.ID_SHIFT) & R.ID_MASK;
    if (!half) return;
    if (half === this.high) half[pin] = value;
    else {
      half[pin] = (value & ~R.READ_ONLY) | (half[pin] & R.READ_ONLY);
      if (!(value & R.TRIGGER_LEVEL)) half[pin] &= ~R.REMOTE_IRR;
    }
    this.eois[pin] = 0;
    this.service();
  }

  get #pin(): number {
    return (this.select - R.IOREDTBL) >> 1;
  }

  /** The halves of entries that the select register is about, if any. */
  get #selected(): number[] | undefined {
    if (this.#pin < 0 || this.#pin >= R.PIN_COUNT) return undefined;
    return this.select & 1 ? this.high : this.low;
  }
}
