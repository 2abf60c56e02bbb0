import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';

const SOURCE = fileURLToPath(new URL('../../../src/', import.meta.url));

/** Built modules that claim words of an area, by path. */
const CLAIMING = readdirSync(SOURCE, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.js') && !file.startsWith('lab/'))
  .filter((file) => /AREA(\.(word|words|time)\(|, ')/.test(readFileSync(join(SOURCE, file), 'utf8')))
  .sort();

/** What every word of a machine's memory is called, for a process that loads modules in this order. */
function fieldsOf(modules: readonly string[]): string {
  const program = `
    for (const module of ${JSON.stringify(modules)}) await import(module);
    const { MACHINE_AREAS } = await import('${join(SOURCE, 'core/memory/map.js')}');
    const fields = MACHINE_AREAS.flatMap((area) => area.addresses().map((address) => [address, area.field(address).name]));
    process.stdout.write(JSON.stringify(fields.sort(([one], [other]) => one - other)));`;
  return execFileSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' });
}

t.test('threads that load modules in different orders see the same memory', async (t) => {
  t.ok(CLAIMING.length > 15, `${CLAIMING.length} modules claim words`);
  const modules = CLAIMING.map((file) => join(SOURCE, file));
  const expected = fieldsOf(modules);
  t.equal(fieldsOf([...modules].reverse()), expected);
  // Each module first, where another would come before it as its dependency.
  const roots = [join(SOURCE, 'core/sync/locks.js'), join(SOURCE, 'core/sync/statistics.js')];
  t.equal(fieldsOf([...roots, ...modules]), expected);
});
