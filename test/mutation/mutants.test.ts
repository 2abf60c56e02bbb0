import { Script } from 'node:vm';
import t from 'tap';
import { allMutants, mutated } from './mutants.js';

const MUTANTS = allMutants();

t.test('the rules make at least 150 mutants, each different and of every rule', async (t) => {
  t.ok(MUTANTS.length >= 150, `${MUTANTS.length} mutants`);
  t.equal(new Set(MUTANTS.map(({ id }) => id)).size, MUTANTS.length);
  const counts = new Map<string, number>();
  for (const { rule, before, after } of MUTANTS) {
    counts.set(rule, (counts.get(rule) ?? 0) + 1);
    if (before === after) t.fail(`${rule} changes nothing`);
  }
  t.ok(counts.size >= 8, [...counts].map(([rule, count]) => `${rule} ${count}`).join(', '));
});

t.test('each mutant is still a program', async (t) => {
  for (const mutant of MUTANTS.filter((_, i) => i % 10 === 0)) {
    const code = mutated(mutant)
      .replace(/^import .*$/gm, '')
      .replace(/^export (?=(const|class|function|async))/gm, '');
    t.doesNotThrow(() => new Script(code.replace(/import\.meta/g, 'meta').replace(/^await /gm, '')), mutant.id);
  }
});
