/**
 * Where QEMU 11.1 does something that the IA-PC HPET 1.0a specification or the 82093AA datasheet does not say, or says
 * otherwise, in the HPET, the GSI router and the IOAPIC. Each is one bit, so that each can be switched by itself.
 */
export const QUIRKS = {
  /** A periodic timer that fires exactly at its comparator's tick fires again 1 µs later, and only then advances. */
  'periodic-double': 1 << 0,
  /** A periodic deadline is at least 1,000 ns after the last one armed for that timer; from 0 ns on. */
  'min-1us': 1 << 1,
  /** A 64-bit comparator that the counter has already passed when it is armed fires at once, not after a wrap. */
  'past-fires': 1 << 2,
  /** An expired one-shot timer fires again on each write to its configuration, and when the HPET is turned on. */
  'expired-fires-again': 1 << 3,
  /** Deadlines are computed modulo 2^64 ns and taken as signed: far comparators may fire at once. */
  'huge-comparator': 1 << 4,
  /** A pending level interrupt keeps its line when the timer is disabled, re-routed, or moved to or from FSB or legacy. */
  'stale-line': 1 << 5,
  /** Acknowledging one timer lowers a line that another timer still holds. */
  'shared-line-drops': 1 << 6,
  /** A main counter write while it runs changes nothing that can be read, and is lost when it is halted. */
  'counter-write-running': 1 << 7,
  /** The FSB enable bit can be set, and works, without the FSB capability. */
  'fsb-without-capability': 1 << 8,
  /** An edge-triggered IOAPIC pin that is driven to 1 sends a message even if it was 1 already. */
  'edge-without-edge': 1 << 9,
  /** An IOAPIC input has the level that any source drove last; without the quirk, the wired OR of all sources. */
  'last-writer-wins': 1 << 10,
  /** After 10,000 EOIs in a row that find the line still high, the interrupt is delivered again only 10 ms later. */
  'eoi-storm': 1 << 11,
  /** An ExtINT message carries the vector that the 8259 pair acknowledges; without it, the entry's own vector field. */
  extint: 1 << 12,
  /** A line that is high when its IOAPIC entry becomes level-triggered requests nothing until it is driven again. */
  'level-needs-rise': 1 << 13,
  /** A latched level request is sent, as an edge, when its entry is unmasked in edge mode. */
  'level-sent-as-edge': 1 << 14,
  /** Delivery modes NMI, INIT, SMI and ExtINT are level-triggered if bit 15 of the entry says so. */
  'level-nmi': 1 << 15,
  /** A one-shot 32-bit timer that has expired stays silent when the counter meets its comparator once more. */
  'one-shot-32-once': 1 << 16,
  /** A one-shot 32-bit timer also fires when the low half of the counter wraps before its match. */
  'wrap-fires-32': 1 << 17,
  /** Any route can be chosen, whatever the timer's route capability says. */
  'any-route': 1 << 18,
  /** The *write* of a 32-bit comparator that the counter has just passed fires at once, not after a wrap. */
  'past-fires-32': 1 << 19,
  /** A system reset keeps the General Interrupt Status register. */
  'reset-keeps-status': 1 << 20,
  /** A system reset keeps the FSB routes. */
  'reset-keeps-fsb': 1 << 21,
  /** A system reset leaves the line of a pending level interrupt high. */
  'reset-keeps-line': 1 << 22,
  /** A system reset lowers the RTC's output. */
  'reset-clears-rtc': 1 << 23,
  /** Remote IRR is set, and the message sent, only if the destination names a vCPU; without it, with each message. */
  'remote-irr-on-accept': 1 << 24,
  /** A system reset keeps the last deadline of each timer, from which `min-1us` counts. */
  'reset-keeps-deadline': 1 << 25,
} as const;

/** The same for the 8259 pair and the 8259A datasheet (231468-003): bits of a word of their own. */
export const PIC_QUIRKS = {
  /** The request of an edge input survives the fall of its line, until it is acknowledged. */
  'pic-edge-survives': 1 << 0,
  /** The slave's request at the master survives its withdrawal by a mask, an EOI or another write to the slave. */
  'pic-cascade-survives': 1 << 1,
  /** An acknowledge cycle leaves the slave's INT high while the slave has more to request: no new edge at the master. */
  'pic-cascade-stays': 1 << 2,
  /** In special fully nested mode the slave in service inhibits no other input of the master. */
  'pic-nested-slave': 1 << 3,
  /** In special mask mode a non-specific EOI ends masked levels as well. */
  'pic-masked-eoi': 1 << 4,
  /** OCW3 changes special mask mode, and INT only with the next event that evaluates it. */
  'pic-ocw3-late': 1 << 5,
  /** ICW3 and SNGL have no effect: the slave is on IR2, and answers there. */
  'pic-fixed-cascade': 1 << 6,
  /** A write to the edge/level control register leaves the request register as it is. */
  'pic-elcr-late': 1 << 7,
  /** ICW1 forgets the levels of the inputs: one that is driven high again requests. */
  'pic-icw1-forgets': 1 << 8,
  /** A chip requests, and gives vectors, before its initialisation is complete: from vector 0 on. */
  'pic-uninitialised': 1 << 9,
} as const;

export type Quirk = keyof typeof QUIRKS | keyof typeof PIC_QUIRKS;
export const QUIRK_NAMES = [...Object.keys(QUIRKS), ...Object.keys(PIC_QUIRKS)] as Quirk[];

/** Named sets of quirks. */
export const PROFILES = {
  /** QEMU 11.1.3, to the bit. */
  'qemu-11.1': QUIRK_NAMES.filter((quirk) => quirk !== 'past-fires-32' && quirk !== 'remote-irr-on-accept'),
  /** The documents, strictly. */
  datasheet: ['remote-irr-on-accept'],
  /** The documents, and what guests of a virtual HPET need: they are always late, and must not flood the host. */
  standard: ['remote-irr-on-accept', 'past-fires', 'past-fires-32', 'one-shot-32-once', 'min-1us'],
} as const satisfies { [name: string]: readonly Quirk[] };

export type Profile = keyof typeof PROFILES;
export const PROFILE_NAMES = Object.keys(PROFILES) as Profile[];

/**
 * Quirks as one number of at most 53 bits: `QUIRKS` in bits 31:0, where bitwise operators find them, and `PIC_QUIRKS`
 * above.
 */
export function quirkBits(quirks: Iterable<Quirk>): number {
  let low = 0;
  let high = 0;
  for (const quirk of quirks) {
    if (isPicQuirk(quirk)) high |= PIC_QUIRKS[quirk];
    else low |= QUIRKS[quirk];
  }
  return high * PIC_SHIFT + (low >>> 0);
}

/** The part of `quirkBits` that the 8259 pair looks at. */
export function picQuirkBits(bits: number): number {
  return Math.floor(bits / PIC_SHIFT);
}

export function quirksOf(bits: number): Quirk[] {
  return QUIRK_NAMES.filter((quirk) =>
    isPicQuirk(quirk) ? picQuirkBits(bits) & PIC_QUIRKS[quirk] : bits & QUIRKS[quirk],
  );
}

const PIC_SHIFT = 2 ** 32;

function isPicQuirk(quirk: Quirk): quirk is keyof typeof PIC_QUIRKS {
  return quirk in PIC_QUIRKS;
}
