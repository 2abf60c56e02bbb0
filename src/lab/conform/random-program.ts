import { HPET_BASE, IOAPIC_BASE } from '../../core/devices/guest-map.js';
import { Random } from '../random.js';
import { FSB_MARK, type Kind, type Program, type ProgramStep } from './program.js';

const STEPS = 50;
/** Routes that most programs choose from: lines with an IOAPIC pin, and two without. */
const ROUTES = [2, 8, 16, 17, 20, 23, 5, 30];
const PORTS = [0x20, 0x21, 0xa0, 0xa1];
const COMMANDS = [0x20, 0x60, 0x61, 0x65, 0xa0, 0xe3, 0xc2, 0xc5, 0x80, 0x00, 0x0a, 0x0b, 0x0c, 0x68, 0x48, 0x08];

/** The same program for the same kind and seed. */
export function randomProgram(kind: Kind, seed: number): Program {
  const random = new Random(seed * 4 + ['hpet', 'ioapic', 'wired', 'pic'].indexOf(kind));
  const timers = [3, 3, 8, 24][random.below(4)];
  const setup = {
    kind,
    hpet: { timers, msi: random.below(2) === 0, routingCapability: 0x00ff_0104 },
    ioapicVersion: kind === 'ioapic' && random.below(4) === 0 ? 0x11 : 0x20,
  };
  const writer = new Writer(random, Math.min(timers, 4), setup.ioapicVersion === 0x20);
  if (kind === 'hpet' || kind === 'wired') writer.routeMessages();
  for (let step = 0; step < STEPS; step++) writer.write(kind);
  return { name: `${kind} seed ${seed}`, setup, actions: writer.steps.map((step) => ({ step, times: 1 })) };
}

class Writer {
  readonly steps: ProgramStep[] = [];
  /** About the main counter, so that comparators are near it. */
  #ticks = 0;
  /** Programs with wide steps of the clock have no periodic timers: a step costs as much as all that fires in it. */
  readonly #isWide: boolean;
  readonly #hasControl: boolean;

  constructor(
    readonly random: Random,
    readonly timers: number,
    readonly hasEoi: boolean,
  ) {
    this.#isWide = random.below(4) === 0;
    this.#hasControl = random.below(4) === 0;
  }

  /** Sends the FSB writes of all timers to where they can be seen. */
  routeMessages(): void {
    for (let timer = 0; timer < this.timers; timer++) this.#fsb(HPET_BASE + 0x100 + 0x20 * timer);
  }

  write(kind: Kind): void {
    if (this.#hasControl && this.random.below(8) === 0) this.#control(kind);
    else if (kind === 'pic') this.#pic();
    else if (kind === 'hpet' || (kind === 'wired' && this.random.below(3) > 0)) this.#hpet();
    else this.#ioapic();
  }

  #control(kind: Kind): void {
    if (this.random.below(3) === 0) {
      this.#ticks = 0;
      this.steps.push({ op: 'reset' });
    } else if (kind === 'hpet' || kind === 'wired') {
      this.steps.push({ op: 'rtc', level: this.random.below(2) });
    }
  }

  #write(address: number, size: number, value: bigint): void {
    this.steps.push({ op: 'write', address, size, value: BigInt.asUintN(8 * size, value) });
  }

  #read(address: number, size: number): void {
    this.steps.push({ op: 'read', address, size, value: undefined });
  }

  #pick<T>(values: readonly T[]): T {
    return values[this.random.below(values.length)];
  }

  #hpet(): void {
    const block = HPET_BASE + 0x100 + 0x20 * this.random.below(this.timers);
    switch (this.random.below(12)) {
      case 0:
      case 1:
        this.#write(block, this.#pick([4, 4, 8]), BigInt(this.#configuration()));
        break;
      case 2:
      case 3:
      case 4:
        this.#write(block + 8 + 4 * this.#pick([0, 0, 0, 0, 0, 1]), this.#pick([4, 8, 8]), this.#comparator());
        break;
      case 5:
        this.#write(HPET_BASE + 0x10, 4, BigInt(this.#pick([0, 1, 1, 1, 3, 3, 2])));
        break;
      case 6:
        this.#write(HPET_BASE + 0x20, 4, BigInt(this.random.below(16)));
        break;
      case 7:
        this.#fsb(block);
        break;
      case 8:
        this.#counter();
        break;
      case 9:
        this.#read(HPET_BASE + this.#pick([0, 0x10, 0x20, 0xf0, 0xf0, 0xf4]), this.#pick([4, 8]));
        break;
      case 10:
        this.#read(block + this.#pick([0, 8, 8, 0xc, 0x10]), this.#pick([1, 2, 4, 4, 8]));
        break;
      default:
        this.#clock();
        break;
    }
  }

  #configuration(): number {
    const { random } = this;
    const bit = (shift: number, outOf = 2) => (random.below(outOf) === 0 ? 1 << shift : 0);
    const periodic = this.#isWide ? 0 : bit(3) | bit(6);
    return bit(1) | (random.below(4) ? 1 << 2 : 0) | periodic | bit(8) | (this.#pick(ROUTES) << 9) | bit(14, 6);
  }

  #comparator(): bigint {
    const near = BigInt(this.#ticks + this.random.below(300));
    switch (this.random.below(6)) {
      case 0:
        return BigInt(this.random.below(50));
      case 1:
        return BigInt(Math.max(0, this.#ticks - this.random.below(100)));
      case 2:
        return this.#isWide ? BigInt(this.random.below(2 ** 31)) * 2n : near;
      default:
        return near;
    }
  }

  #fsb(block: number): void {
    const address = 0xfee0_1000 + (this.random.below(15) << 12) + FSB_MARK;
    this.#write(block + 0x10, 8, (BigInt(address) << 32n) | BigInt(0x40 + this.random.below(8)));
  }

  #counter(): void {
    // QEMU advances a periodic comparator in a loop over its periods, so only programs without one begin near the wrap.
    const value = this.#pick([0, 0, 100, this.#ticks, this.#isWide ? 0xffff_ff00 : 200]);
    this.#ticks = value;
    this.#write(HPET_BASE + 0xf0, 8, BigInt(value));
  }

  #clock(): void {
    const wide = this.#isWide && this.random.below(3) === 0;
    const ns = wide ? this.random.below(2 ** 31) * 20 : 1 + this.random.below(this.#pick([50, 1000, 3000, 10_000]));
    this.#ticks += Math.floor(ns / 10);
    this.steps.push({ op: 'clock_step', ns });
  }

  #ioapic(): void {
    const pin = this.#pick([1, 2, 5, 16, 17, 20, 23]);
    switch (this.random.below(8)) {
      case 0:
      case 1:
        this.#entry(0x10 + 2 * pin, BigInt(this.#low()));
        break;
      case 2:
        this.#entry(0x11 + 2 * pin, BigInt(this.random.below(16)) << 24n);
        break;
      case 3:
        this.#write(IOAPIC_BASE, 4, BigInt(0x10 + 2 * pin));
        this.#read(IOAPIC_BASE + 0x10, 4);
        break;
      case 4:
        if (this.hasEoi) this.steps.push({ op: 'eoi', vector: 0x30 + this.random.below(4) });
        return;
      case 5:
        this.#entry(this.random.below(3), BigInt(this.random.below(16)) << 24n);
        break;
      default:
        this.steps.push({ op: 'set_irq', pin: this.#pick([0, pin]), level: this.random.below(2) });
    }
  }

  #entry(register: number, value: bigint): void {
    this.#write(IOAPIC_BASE, 4, BigInt(register));
    this.#write(IOAPIC_BASE + 0x10, 4, value);
  }

  /** Mostly fixed delivery; an ExtINT entry would run acknowledge cycles of a pair that the HPET's lines reach. */
  #low(): number {
    const { random } = this;
    const mode = this.#pick([0, 0, 0, 0, 1, 4]);
    const masked = random.below(4) === 0 ? 1 << 16 : 0;
    return (0x30 + random.below(4)) | (mode << 8) | (random.below(2) << 11) | (random.below(2) << 15) | masked;
  }

  #pic(): void {
    const { random } = this;
    const port = this.#pick(PORTS);
    switch (random.below(10)) {
      case 0:
        this.#initialise(this.#pick([0x20, 0xa0]));
        break;
      case 1:
      case 2:
        this.#out(port & ~1, this.#pick(COMMANDS));
        break;
      case 3:
        this.#out(port | 1, random.below(3) ? 1 << random.below(8) : 0);
        break;
      case 4:
        this.#out(0x4d0 + random.below(2), random.below(256));
        break;
      case 5:
        this.steps.push({ op: 'in', port: this.#pick([...PORTS, 0x4d0, 0x4d1]), value: 0n });
        return;
      case 6:
        this.steps.push({ op: 'inta', value: 0n });
        return;
      default:
        this.steps.push({ op: 'set_irq', pin: this.#pick([0, 1, 3, 4, 7, 8, 9, 12, 15]), level: random.below(2) });
    }
  }

  #out(port: number, value: number): void {
    this.steps.push({ op: 'out', port, value: BigInt(value) });
  }

  #initialise(chip: number): void {
    const icw1 = 0x10 | this.#pick([1, 1, 1, 3, 9]);
    this.#out(chip, icw1);
    this.#out(chip + 1, chip === 0x20 ? 0x20 : 0x28);
    if (!(icw1 & 2)) this.#out(chip + 1, this.#pick([chip === 0x20 ? 4 : 2, 4, 2]));
    this.#out(chip + 1, this.#pick([1, 1, 3, 0x11, 0x13]));
  }
}
