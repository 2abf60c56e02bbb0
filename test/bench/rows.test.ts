import t from 'tap';
import { absoluteRows, ratioRows, row } from '../../bench/rows.js';

t.test(
  'a ratio may miss its target by the half-spread of the baseline to itself, and by no more than a tenth',
  async (t) => {
    const verdict = (better: 'lower' | 'higher', value: number, spread: number) =>
      row('figure', value, 'ns', { better, baseline: 100, target: 1, spread }).ok;
    t.equal(verdict('lower', 104, 0.05), true);
    t.equal(verdict('lower', 106, 0.05), false);
    t.equal(verdict('higher', 96, 0.05), true);
    t.equal(verdict('higher', 94, 0.05), false);
    t.equal(verdict('lower', 111, 0.5), false);
    t.equal(verdict('higher', Number.NaN, 0.05), false, 'what was not measured');
  },
);

t.test('a figure that stands for itself meets its target as it is', async (t) => {
  const twice = { first: [100, 100, 100], second: [104, 96, 104] };
  const verdict = (target: number) => absoluteRows('figure', 'ns', { better: 'lower', target }, twice)[0].ok;
  t.equal(verdict(100), true);
  t.equal(verdict(99.9), false);
});

t.test('a row of the baseline against itself follows', async (t) => {
  const base = { first: [100, 100, 100, 100, 100], second: [50, 75, 100, 125, 150] };
  const [own, self] = ratioRows('rate', '1/s', { better: 'higher', target: 1 }, [97, 97, 97, 97, 97], base);
  t.match(own, { value: 97, baseline: 100, ratio: 0.97, spread: 0.25, ok: true });
  t.match(self, { name: 'A/A: rate', value: 100, baseline: 100, ratio: 1, target: null, ok: null });
});

t.test('a ratio is of what was measured in the same round', async (t) => {
  const base = { first: [90, 190, 290], second: [110, 210, 310] };
  const [own] = ratioRows('latency', 'ns', { better: 'lower', target: 1 }, [100, 100, 900], base);
  t.match(own, { value: 100, baseline: 200, ratio: 1, ok: true });
});
