import { compileStrict } from '../../protocol/json/validation.js';
import { type Static, type TProperties, Type } from '../../schema/type.js';

/**
 * The lines of the two trace formats, `hpet-ioapic-trace/1` (golden) and `guest-trace/1`, as JSON schemas. Unknown keys
 * are refused in records, and left alone in headers, which also say where a trace comes from.
 */

/** 2^52 and more do not fit an address of the machine, and would lose digits. */
const Address = Type.String({ pattern: '^0x0*[0-9a-fA-F]{1,13}$' });
const Value = Type.String({ pattern: '^0x0*[0-9a-fA-F]{1,16}$' });
const Word = Type.String({ pattern: '^0x0*[0-9a-fA-F]{1,8}$' });
const Size = Type.Enum([1, 2, 4, 8]);
const Level = Type.Enum([0, 1]);
const Nanoseconds = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
const Count = Type.Integer({ minimum: 0 });
const range = (maximum: number) => Type.Integer({ minimum: 0, maximum });

const HpetHeader = Type.Object({
  timers: Type.Integer({ minimum: 1, maximum: 32 }),
  msi: Type.Boolean(),
  intcap: Word,
});

const IoapicHeader = Type.Object({ version: Word });

export const GoldenHeader = Type.Object({
  format: Type.Literal('hpet-ioapic-trace/1'),
  name: Type.String(),
  kind: Type.Enum(['hpet', 'ioapic', 'wired']),
  hpet: Type.Optional(HpetHeader),
  ioapic: Type.Optional(IoapicHeader),
  steps: Count,
  quirks: Type.Array(Type.String()),
});

export const GuestHeader = Type.Object({
  format: Type.Literal('guest-trace/1'),
  name: Type.String(),
  hpet: HpetHeader,
  ioapic: IoapicHeader,
  hpet_line_raises: Count,
  records: Count,
});

const record = <P extends TProperties>(properties: P) =>
  Type.Object({ ...properties, clock: Type.Optional(Nanoseconds) }, { additionalProperties: false });

const Read = record({ op: Type.Literal('read'), addr: Address, size: Size, value: Type.Optional(Value) });
const Write = record({ op: Type.Literal('write'), addr: Address, size: Size, value: Value });
const ClockStep = record({ op: Type.Literal('clock_step'), ns: Nanoseconds });
const SetIrq = record({ op: Type.Literal('set_irq'), pin: range(23), level: Level });
const Eoi = record({ op: Type.Literal('eoi'), vector: range(0xff) });

const Irq = record({ out: Type.Literal('irq'), line: range(31), level: Level });
const Apic = record({
  out: Type.Literal('apic'),
  dest: range(0xff),
  dest_mode: range(1),
  delivery_mode: range(7),
  vector: range(0xff),
  trigger_mode: range(1),
});
const Msi = record({ out: Type.Literal('msi'), addr: Word, data: Word });

export type GoldenHeaderRow = Static<typeof GoldenHeader>;
export type GuestHeaderRow = Static<typeof GuestHeader>;
export type StepRow = Static<typeof Read | typeof Write | typeof ClockStep | typeof SetIrq | typeof Eoi>;
export type OutputRow = Static<typeof Irq | typeof Apic | typeof Msi>;
export type Row = StepRow | OutputRow;

export const HEADERS = new Map<unknown, ReturnType<typeof compileStrict>>([
  ['hpet-ioapic-trace/1', compileStrict(GoldenHeader)],
  ['guest-trace/1', compileStrict(GuestHeader)],
]);

/** Records by the word in `op` or `out`. */
export const RECORDS = new Map<unknown, ReturnType<typeof compileStrict>>([
  ['read', compileStrict(Read)],
  ['write', compileStrict(Write)],
  ['clock_step', compileStrict(ClockStep)],
  ['set_irq', compileStrict(SetIrq)],
  ['eoi', compileStrict(Eoi)],
  ['irq', compileStrict(Irq)],
  ['apic', compileStrict(Apic)],
  ['msi', compileStrict(Msi)],
]);
