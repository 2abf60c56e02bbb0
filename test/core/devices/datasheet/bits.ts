import t from 'tap';

/** What a document says about a bit: it takes writes, or reads one value whatever is written. */
export type Rule = 'rw' | 0 | 1;

/** One register of a document, from its highest bit to its lowest. */
export interface RegisterTable {
  readonly section: string;
  readonly name: string;
  readonly bits: number;
  /** Names of bits or of ranges (`[high, low]`), with their rule. Together they name every bit once. */
  readonly fields: readonly (readonly [high: number, low: number, name: string, rule: Rule | bigint])[];
}

/** A register of a fresh machine. */
export interface Access {
  read(): bigint;
  write(value: bigint): void;
}

/** The rule of each bit, from bit 0. A number as a rule is the read-only value of a whole field. */
export function rulesOf({ bits, fields, name }: RegisterTable): { rule: Rule; field: string }[] {
  const rules: { rule: Rule; field: string }[] = [];
  for (const [high, low, field, rule] of fields) {
    for (let bit = low; bit <= high; bit++) {
      if (rules[bit]) throw new Error(`${name}: bit ${bit} is named twice`);
      rules[bit] = {
        field,
        rule: typeof rule === 'bigint' ? (Number((rule >> BigInt(bit - low)) & 1n) as 0 | 1) : rule,
      };
    }
  }
  if (Object.keys(rules).length !== bits) throw new Error(`${name}: not every bit is named`);
  return rules;
}

type Rules = ReturnType<typeof rulesOf>;

interface Reads {
  /** What the register reads after a 1 was written to the bit alone, and after a 0. */
  readonly one: bigint;
  readonly zero: bigint;
}

function tryBit(register: Access, bit: number): Reads {
  register.write(1n << BigInt(bit));
  const one = register.read();
  register.write(0n);
  return { one, zero: register.read() };
}

function expectedOf(rules: Rules, bit: number): Reads {
  const mask = 1n << BigInt(bit);
  const { rule } = rules[bit];
  const others = rules.reduce((sum, { rule }, n) => (rule === 1 && n !== bit ? sum | (1n << BigInt(n)) : sum), 0n);
  return { one: others | (rule === 0 ? 0n : mask), zero: others | (rule === 1 ? mask : 0n) };
}

/** Faults of one bit of a register. A bit that takes writes can be stuck, and one that does not can take them. */
const MUTANTS: { readonly [name: string]: (register: Access, mask: bigint) => Access } = {
  'stuck at 0': ({ read, write }, mask) => ({ read: () => read() & ~mask, write }),
  'stuck at 1': ({ read, write }, mask) => ({ read: () => read() | mask, write }),
  inverted: ({ read, write }, mask) => ({ read: () => read() ^ mask, write }),
  writable: ({ read, write }, mask) => {
    let written = 0n;
    return {
      read: () => (read() & ~mask) | (written & mask),
      write: (value) => {
        written = value;
        write(value);
      },
    };
  },
};

/** One assertion for each bit of a register, each of which fails under every mutant of its bit. */
export function assertBits(table: RegisterTable, open: () => Access): void {
  const rules = rulesOf(table);
  t.test(`${table.section} ${table.name}`, async (t) => {
    for (const [bit, { rule, field }] of rules.entries()) {
      const name = `${table.section}, ${table.name} bit ${bit}, ${field}: ${rule === 'rw' ? 'read/write' : `reads ${rule}`}`;
      t.same(tryBit(open(), bit), expectedOf(rules, bit), name);
    }
  });
  t.test(`${table.section} ${table.name}: the assertion of each bit fails under its mutants`, async (t) => {
    const same = { rw: 'writable', 0: 'stuck at 0', 1: 'stuck at 1' };
    const alive: string[] = [];
    for (const [bit, { rule, field }] of rules.entries()) {
      for (const [fault, mutate] of Object.entries(MUTANTS)) {
        if (fault === same[rule]) continue;
        const { one, zero } = tryBit(mutate(open(), 1n << BigInt(bit)), bit);
        const expected = expectedOf(rules, bit);
        if (one === expected.one && zero === expected.zero) alive.push(`bit ${bit}, ${field}, ${fault}`);
      }
    }
    t.same(alive, []);
  });
}
