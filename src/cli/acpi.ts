import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command, Option } from 'commander';
import { type AcpiOptions, acpiTables } from './acpi-tables.js';
import { whole } from './arguments.js';

interface Options extends AcpiOptions {
  readonly output?: string;
  readonly json?: true;
}

const HELP = `
A guest finds the HPET and the IOAPIC by the tables HPET and APIC (MADT), which its firmware has to provide. With --output
the tables are files that QEMU takes: -acpitable file=HPET.bin.

Exit status: 0, or 2 if the files cannot be written.

Example:
  npx southbridge acpi --vcpus 2`;

export const acpi = new Command('acpi')
  .description('print the ACPI tables HPET and MADT of a machine')
  .addOption(new Option('--vcpus <n>', 'vCPUs; their APIC ids are their numbers').argParser(whole(1, 64)).default(8))
  .addOption(new Option('--timers <n>', 'comparators of the HPET').argParser(whole(3, 24)).default(3))
  .addOption(new Option('--ioapic-id <n>', 'identification of the IOAPIC').argParser(whole(0, 15)).default(0))
  .option('--no-pic', 'a machine without the 8259 pair')
  .option('-o, --output <folder>', 'write HPET.bin and APIC.bin there')
  .option('--json', 'print one JSON object, with each table in hexadecimal')
  .addHelpText('after', HELP)
  .action(run);

function run({ output, json, ...options }: Options, command: Command): void {
  const tables = Object.entries(acpiTables(options));
  if (output !== undefined) write(output, tables, command);
  else if (json) {
    const hex = tables.map(([signature, table]) => [signature, table.toString('hex')]);
    process.stdout.write(`${JSON.stringify(Object.fromEntries(hex))}\n`);
  } else process.stdout.write(tables.map(([signature, table]) => dump(signature, table)).join('\n'));
}

function write(folder: string, tables: readonly (readonly [string, Buffer])[], command: Command): void {
  try {
    mkdirSync(folder, { recursive: true });
    for (const [signature, table] of tables) {
      const file = join(folder, `${signature}.bin`);
      writeFileSync(file, table);
      process.stdout.write(`${file}: ${table.length} bytes\n`);
    }
  } catch (error) {
    command.error(`error: ${(error as Error).message}`, { exitCode: 2 });
  }
}

/** In the form of `acpidump`, which `acpixtract` reads. */
function dump(signature: string, table: Buffer): string {
  const lines = [`${signature} @ 0x0000000000000000`];
  for (let at = 0; at < table.length; at += 16) {
    const bytes = [...table.subarray(at, at + 16)];
    const hex = bytes.map((byte) => byte.toString(16).padStart(2, '0').toUpperCase()).join(' ');
    const text = bytes.map((byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.')).join('');
    lines.push(`  ${at.toString(16).padStart(4, '0').toUpperCase()}: ${hex.padEnd(47)}  ${text}`);
  }
  return `${lines.join('\n')}\n`;
}
