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

/** One assertion for each bit of a register: what it reads after a 1 was written to it alone, and after a 0. */
export function assertBits(table: RegisterTable, open: () => Access): void {
  const rules = rulesOf(table);
  t.test(`${table.section} ${table.name}`, async (t) => {
    for (const [bit, { rule, field }] of rules.entries()) {
      const register = open();
      const mask = 1n << BigInt(bit);
      register.write(mask);
      const one = register.read();
      register.write(0n);
      const zero = register.read();
      const others = rules.reduce((sum, { rule }, n) => (rule === 1 && n !== bit ? sum | (1n << BigInt(n)) : sum), 0n);
      t.same(
        { one, zero },
        { one: others | (rule === 0 ? 0n : mask), zero: others | (rule === 1 ? mask : 0n) },
        `${table.section}, ${table.name} bit ${bit}, ${field}: ${rule === 'rw' ? 'read/write' : `reads ${rule}`}`,
      );
    }
  });
}
