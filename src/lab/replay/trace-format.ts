import { compileStrict } from '../../protocol/json/validation.js';
import { type Static, type TProperties, Type } from '../../schema/type.js';

/**
 * The lines of the three trace formats, `hpet-ioapic-trace/1` and `pic-trace/1` (golden) and `guest-trace/1`, as JSON
 * schemas. Unknown keys are refused in records, and left alone in headers, which also say where a trace comes from.
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

export const PicHeader = Type.Object({
  format: Type.Literal('pic-trace/1'),
  name: Type.String(),
  steps: Count,
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

const Port = Type.Enum(['0x20', '0x21', '0xa0', '0xa1', '0x4d0', '0x4d1']);
const Byte = Type.String({ pattern: '^0x0*[0-9a-fA-F]{1,2}$' });
const In = record({ op: Type.Literal('in'), port: Port, value: Byte });
const Out = record({ op: Type.Literal('out'), port: Port, value: Byte });
const PicIrq = record({ op: Type.Literal('irq'), irq: range(15), level: Level });
const Inta = record({ op: Type.Literal('inta'), vector: range(0xff) });
const Intr = record({ out: Type.Literal('intr'), level: Level });

export type GoldenHeaderRow = Static<typeof GoldenHeader>;
export type PicHeaderRow = Static<typeof PicHeader>;
export type GuestHeaderRow = Static<typeof GuestHeader>;
export type HeaderRow = GoldenHeaderRow | PicHeaderRow | GuestHeaderRow;
export type StepRow = Static<
  | typeof Read
  | typeof Write
  | typeof ClockStep
  | typeof SetIrq
  | typeof Eoi
  | typeof In
  | typeof Out
  | typeof PicIrq
  | typeof Inta
>;
export type OutputRow = Static<typeof Irq | typeof Apic | typeof Msi | typeof Intr>;
export type Row = StepRow | OutputRow;

type Schemas = ReadonlyMap<unknown, ReturnType<typeof compileStrict>>;

export const HEADERS: Schemas = new Map([
  ['hpet-ioapic-trace/1', compileStrict(GoldenHeader)],
  ['guest-trace/1', compileStrict(GuestHeader)],
  ['pic-trace/1', compileStrict(PicHeader)],
]);

/** Steps of the 8259 traces by the word in `op`, and their output. */
const PIC_RECORDS: Schemas = new Map([
  ['in', compileStrict(In)],
  ['out', compileStrict(Out)],
  ['irq', compileStrict(PicIrq)],
  ['inta', compileStrict(Inta)],
  ['intr', compileStrict(Intr)],
]);

/** The same of the other two formats. */
const MMIO_RECORDS: Schemas = new Map([
  ['read', compileStrict(Read)],
  ['write', compileStrict(Write)],
  ['clock_step', compileStrict(ClockStep)],
  ['set_irq', compileStrict(SetIrq)],
  ['eoi', compileStrict(Eoi)],
  ['irq', compileStrict(Irq)],
  ['apic', compileStrict(Apic)],
  ['msi', compileStrict(Msi)],
]);

/** Records of a format by the word in `op` or `out`. */
export function recordsOf(format: HeaderRow['format']): Schemas {
  return format === 'pic-trace/1' ? PIC_RECORDS : MMIO_RECORDS;
}
