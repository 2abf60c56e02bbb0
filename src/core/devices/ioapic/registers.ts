/**
 * Registers of the I/O APIC. Source: Intel 82093AA I/O Advanced Programmable Interrupt Controller (290566-001),
 * section 3. Memory-mapped registers are byte offsets; indirect registers are numbers for the select register.
 */
/** The memory-mapped registers repeat every 256 bytes. */
export const IOAPIC_DECODED = 0xff;

/** 3.1.1 I/O Register Select: bits 7:0 select an indirect register. */
export const IOREGSEL = 0x00;
/** 3.1.2 I/O Window: the selected register, 32 bits wide. */
export const IOWIN = 0x10;
/** EOI register of version 0x20: bits 7:0 vector. */
export const IOEOI = 0x40;

/** 3.2.1 IOAPIC Identification: bits 27:24. */
export const IOAPICID = 0x00;
export const ID_SHIFT = 24;
export const ID_MASK = 0xf;
/** 3.2.2 IOAPIC Version: bits 23:16 last redirection entry, 7:0 version. */
export const IOAPICVER = 0x01;
/** 3.2.3 IOAPIC Arbitration: bits 27:24. */
export const IOAPICARB = 0x02;
/** 3.2.4 I/O Redirection Table: two registers per entry, low half first. */
export const IOREDTBL = 0x10;

export const PIN_COUNT = 24;
export const VERSION_WITH_EOI = 0x20;

/** Redirection table entry, low half. */
export const VECTOR_MASK = 0xff;
export const DELIVERY_MODE_SHIFT = 8;
export const DELIVERY_MODE_MASK = 7;
export const DESTINATION_MODE_SHIFT = 11;
export const DELIVERY_STATUS = 1 << 12;
export const POLARITY = 1 << 13;
export const REMOTE_IRR = 1 << 14;
export const TRIGGER_MODE_SHIFT = 15;
export const TRIGGER_LEVEL = 1 << TRIGGER_MODE_SHIFT;
export const MASKED = 1 << 16;
export const READ_ONLY = DELIVERY_STATUS | REMOTE_IRR;
/** High half: destination in bits 63:56. */
export const DESTINATION_SHIFT = 24;

export const EXT_INT = 7;
/**
 * 3.2.4, by delivery mode: NMI (4) and INIT (5) are edge-triggered whatever the trigger mode bit says. SMI (2) and
 * ExtINT (7) "require" an edge-triggered entry, and the bit's effect is left open: they are treated alike.
 */
export const EDGE_MODES = (1 << 2) | (1 << 4) | (1 << 5) | (1 << EXT_INT);
