/** An event of an IRQ stream in the text form, as far as readers choose by it. */
export interface EventJson {
  readonly kind: 'line' | 'apic' | 'msi' | 'intr';
  /** Decimal. */
  readonly sequence: string;
  readonly gsi?: number;
  readonly pin?: number;
  readonly level?: number;
  readonly source?: string;
  readonly vector?: number;
  readonly address?: string;
  readonly data?: string;
}
