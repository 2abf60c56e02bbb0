/** What the reference machine puts out, in the order in which it happens. */
export type ReferenceEvent =
  | { readonly kind: 'line'; readonly line: number; readonly level: number; readonly driver: Driver }
  | {
      readonly kind: 'apic';
      readonly pin: number;
      readonly destination: number;
      readonly destinationMode: number;
      readonly deliveryMode: number;
      readonly vector: number;
      readonly trigger: number;
    }
  | { readonly kind: 'msi'; readonly timer: number; readonly address: number; readonly data: number }
  | { readonly kind: 'intr'; readonly level: number };

/** Who drives a line: the HPET, with its PIT and RTC inputs, or an external driver. */
export type Driver = 'hpet' | 'external';

/** What the HPET decides inside an access, to be applied to lines and controllers. */
export type Change =
  | { readonly kind: 'level'; readonly line: number; readonly level: number }
  /** A line goes to 1 and back to 0 in no time. */
  | { readonly kind: 'pulse'; readonly line: number }
  | { readonly kind: 'msi'; readonly timer: number; readonly address: number; readonly data: number };
