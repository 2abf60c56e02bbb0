/** Names of numbers, as text frames and views show them. */

/** Delivery modes, by their number in a redirection entry or MSI. */
export const DELIVERY_MODE_NAMES = [
  'fixed',
  'lowest-priority',
  'smi',
  'reserved-3',
  'nmi',
  'init',
  'reserved-6',
  'extint',
] as const;

/** Kinds of events of an IRQ stream; in the binary form, their number is one more than the index here. */
export const IRQ_KINDS = ['line', 'apic', 'msi', 'intr'] as const;
export type IrqKind = (typeof IRQ_KINDS)[number];

/** What made an event; numbered as the kinds are. */
export const CAUSES = ['timer', 'pit', 'rtc', 'external', 'write', 'eoi', 'delayed', 'xen'] as const;
export type Cause = (typeof CAUSES)[number];

/** Inputs of a machine beside its lines; numbered as the kinds are. */
export const INPUTS = ['pit', 'rtc', 'xen'] as const;
export type Input = (typeof INPUTS)[number];

/** How a logical destination is compared with a logical APIC id; numbered as the kinds are. */
export const DESTINATION_FORMATS = ['flat', 'cluster'] as const;
export type DestinationFormat = (typeof DESTINATION_FORMATS)[number];
