import { existsSync, readFileSync } from 'node:fs';
import t from 'tap';
import { PROFILE_NAMES, PROFILES, QUIRK_NAMES, type Quirk } from '../../../../src/core/devices/quirks.js';

/** The repository, from dist/test/core/devices/quirks. */
const ROOT = new URL('../../../../../', import.meta.url);
const DOCUMENT = readFileSync(new URL('docs/quirks.md', ROOT), 'utf8');

/** The section of the document that is headed by a quirk's name. */
function sectionOf(quirk: string): string {
  const start = DOCUMENT.indexOf(`\n## \`${quirk}\`\n`);
  if (start < 0) return '';
  const end = DOCUMENT.indexOf('\n## ', start + 1);
  return DOCUMENT.slice(start, end < 0 ? undefined : end);
}

for (const quirk of QUIRK_NAMES) {
  t.test(`${quirk} has a test that shows it on and off`, async (t) => {
    const file = new URL(`test/core/devices/quirks/${quirk}.test.ts`, ROOT);
    t.ok(existsSync(file), `test/core/devices/quirks/${quirk}.test.ts`);
    const text = readFileSync(file, 'utf8');
    t.ok(text.includes(`${quirk} on:`) || text.includes(`${quirk} \${state}:`), 'on');
    t.ok(text.includes(`${quirk} off:`) || text.includes(`${quirk} \${state}:`), 'off');
  });

  t.test(`${quirk} has a section in docs/quirks.md with what a guest observes, and where it is on`, async (t) => {
    const section = sectionOf(quirk);
    for (const part of ['Documents', 'QEMU 11.1', 'On', 'Off', 'Profiles']) t.match(section, `**${part}.**`);
    const named = PROFILE_NAMES.filter((profile) => section.split('**Profiles.**')[1]?.includes(`\`${profile}\``));
    const has = PROFILE_NAMES.filter((profile) => (PROFILES[profile] as readonly Quirk[]).includes(quirk));
    t.same(named, has, 'the profiles named are those that have it');
  });
}

t.test('docs/quirks.md describes existing quirks only', async (t) => {
  const headed = [...DOCUMENT.matchAll(/^## `(.+)`$/gm)].map((match) => match[1]);
  t.same(
    headed.filter((name) => !(QUIRK_NAMES as string[]).includes(name)),
    [],
  );
});
