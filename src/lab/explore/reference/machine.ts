import * as G from '../../../core/devices/guest-map.js';
import type { Change, Driver, ReferenceEvent } from './events.js';
import { HpetModel, type HpetShape } from './hpet.js';
import { IoapicModel } from './ioapic.js';
import { PicModel } from './pic.js';
import { STORM_TIMER, Timers } from './timers.js';

/** GSIs below this one reach the IOAPIC. Lines behind them go nowhere. */
const GSIS = 24;
/** What an acknowledge cycle gives without an 8259 pair. */
const NO_PIC_VECTOR = 7;

export interface Shape {
  readonly hpet: HpetShape;
  readonly ioapic: { readonly version: number; readonly id: number };
  readonly hasPic: boolean;
}

/** A part of a change that is one step where the controllers have locks of their own. */
export type Step =
  | { readonly at: 'line'; readonly driver: Driver; readonly line: number; readonly level: number }
  | { readonly at: 'ioapic'; readonly line: number; readonly level: number }
  | { readonly at: 'msi'; readonly event: ReferenceEvent };

/** What a snapshot holds. */
type Saved = Pick<MachineModel, 'now' | 'hpet' | 'ioapic' | 'pic' | 'timers' | 'driven' | 'inputs' | 'decided'>;

/**
 * A machine with the devices of the reference, executed one operation after the other: no thread, no lock, no shared
 * memory. It does what QEMU 11.1 does, as the recorded traces show. Times are virtual, in ns.
 */
export class MachineModel {
  now = 0n;
  timers = new Timers();
  /** Changes that the HPET has decided, and that are not applied yet. */
  decided: Change[] = [];
  events: ReferenceEvent[] = [];
  /** Bit n: level of line n, by driver. */
  driven = { hpet: 0, external: 0 };
  /** Bit n: level that the controllers saw last on line n. */
  inputs = 0;
  hpet: HpetModel;
  ioapic: IoapicModel;
  pic: PicModel;

  constructor(readonly shape: Shape) {
    this.hpet = new HpetModel(shape.hpet, this.timers, (change) => this.decided.push(change));
    this.ioapic = new IoapicModel(shape.ioapic.version, shape.ioapic.id, {
      emit: (event) => this.events.push(event),
      acknowledgePic: () => this.acknowledgeInterrupt(),
      delay: (deadline) => {
        const armed = this.timers.deadlineOf(STORM_TIMER);
        if (armed === undefined || armed > deadline) this.timers.arm(STORM_TIMER, deadline);
      },
      cancelDelay: () => this.timers.cancel(STORM_TIMER),
    });
    this.pic = new PicModel((level) => this.events.push({ kind: 'intr', level }));
  }

  clone(): MachineModel {
    const copy = new MachineModel(this.shape);
    copy.restore(this);
    copy.events = [...this.events];
    return copy;
  }

  /** Takes over a saved state: the clock and the devices, without events. */
  restore(saved: Saved): void {
    this.now = saved.now;
    Object.assign(this.timers, saved.timers.clone());
    this.decided = [...saved.decided];
    this.driven = { ...saved.driven };
    this.inputs = saved.inputs;
    this.hpet.copyFrom(saved.hpet);
    this.ioapic.copyFrom(saved.ioapic);
    this.pic.copyFrom(saved.pic);
  }

  // Accesses. What they decide is still to be applied.

  /** Reads 1, 2, 4 or 8 bytes; undefined if no device has the address. */
  read(address: number, size: number): bigint | undefined {
    const device = G.deviceAt(address, size);
    if (device === G.NO_DEVICE) return undefined;
    const isHpet = device === G.HPET;
    let value = 0n;
    for (const [at, bytes] of pieces(address, size, isHpet ? G.HPET_WIDTH : G.IOAPIC_WIDTH)) {
      const piece = isHpet
        ? this.hpet.read(at - G.HPET_BASE, bytes, this.now)
        : BigInt(this.ioapic.read(at - G.IOAPIC_BASE, bytes) >>> 0);
      value |= BigInt.asUintN(8 * bytes, piece) << BigInt(8 * (at - address));
    }
    return value;
  }

  /** Writes 1, 2, 4 or 8 bytes; false if no device has the address. */
  write(address: number, size: number, value: bigint): boolean {
    const device = G.deviceAt(address, size);
    if (device === G.NO_DEVICE) return false;
    const isHpet = device === G.HPET;
    for (const [at, bytes] of pieces(address, size, isHpet ? G.HPET_WIDTH : G.IOAPIC_WIDTH)) {
      const piece = BigInt.asUintN(8 * bytes, value >> BigInt(8 * (at - address)));
      if (isHpet) this.hpet.write(at - G.HPET_BASE, bytes, piece, this.now);
      else this.ioapic.write(at - G.IOAPIC_BASE, bytes, Number(piece), this.now);
    }
    return true;
  }

  endOfInterrupt(vector: number): void {
    this.ioapic.endOfInterrupt(vector, this.now);
  }

  acknowledgeInterrupt(): number {
    return this.shape.hasPic ? this.pic.acknowledge() : NO_PIC_VECTOR;
  }

  /** Undefined if no device has the port. */
  portRead(port: number): number | undefined {
    return this.shape.hasPic && G.isPicPort(port) ? this.pic.read(port) : undefined;
  }

  portWrite(port: number, value: number): boolean {
    if (!this.shape.hasPic || !G.isPicPort(port)) return false;
    this.pic.write(port, value);
    return true;
  }

  resetControllers(): void {
    this.ioapic.reset();
    if (this.shape.hasPic) this.pic.reset();
  }

  /** The callback of a timer whose deadline has come. */
  expire(timer: number): void {
    if (timer === STORM_TIMER) this.ioapic.service();
    else this.hpet.expire(timer, this.now);
  }

  // Changes

  applyStep(step: Step): void {
    if (step.at === 'msi') this.events.push(step.event);
    else if (step.at === 'line') this.#driveLine(step);
    else if (step.line < GSIS) this.ioapic.setInput(step.line, step.level);
  }

  #driveLine({ driver, line, level }: Extract<Step, { at: 'line' }>): void {
    const bit = 1 << line;
    const old = this.driven[driver];
    this.driven[driver] = level ? old | bit : old & ~bit;
    this.inputs = level ? this.inputs | bit : this.inputs & ~bit;
    if (this.driven[driver] !== old) this.events.push({ kind: 'line', line, level, driver });
    if (this.shape.hasPic) this.pic.setInput(line, level);
  }

  /** Applies what is decided. */
  applyAll(): void {
    for (const change of this.decided.splice(0)) for (const step of stepsOf(change)) this.applyStep(step);
  }

  /** An external driver sets a GSI. */
  setLine(gsi: number, level: number): void {
    for (const step of drive('external', gsi, level)) this.applyStep(step);
  }

  // Time

  /** Runs every callback that is due. */
  runDue(): void {
    for (let timer = this.timers.take(this.now); timer !== undefined; timer = this.timers.take(this.now)) {
      this.expire(timer);
      this.applyAll();
    }
  }

  /** Moves the clock on, and visits each deadline on the way. */
  advance(ns: bigint): void {
    const target = this.now + ns;
    for (;;) {
      this.runDue();
      const { earliest } = this.timers;
      if (this.now === target) return;
      this.now = earliest !== undefined && earliest < target ? earliest : target;
    }
  }
}

/** The steps of a change, in order. */
export function stepsOf(change: Change): Step[] {
  if (change.kind === 'msi') return [{ at: 'msi', event: change }];
  if (change.kind === 'level') return drive('hpet', change.line, change.level);
  return [...drive('hpet', change.line, 1), ...drive('hpet', change.line, 0)];
}

export function drive(driver: Driver, line: number, level: number): Step[] {
  return [
    { at: 'line', driver, line, level },
    { at: 'ioapic', line, level },
  ];
}

/** The naturally aligned pieces of an access, of at most `width` bytes: addresses and sizes. */
function pieces(address: number, size: number, width: number): [number, number][] {
  const found: [number, number][] = [];
  for (let at = address; at < address + size; ) {
    let bytes = width;
    while (at % bytes !== 0 || at + bytes > address + size) bytes >>= 1;
    found.push([at, bytes]);
    at += bytes;
  }
  return found;
}
