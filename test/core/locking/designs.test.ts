import t from 'tap';
import {
  allCombinations,
  axesOf,
  CONTROL_AXIS,
  describeDesign,
  designNamed,
  designOf,
  IRQ_AXIS,
  MMIO_AXIS,
  PRESET_NAMES,
  PRESETS,
  packDesign,
  TIMER_AXIS,
  unpackDesign,
} from '../../../src/core/locking/presets.js';
import { classOf, classOfPreset, scopeText, verdictText } from '../../../src/core/locking/verdicts.js';

const DESIGNS = allCombinations();

t.test('every design is found by its name, its description and its word', async (t) => {
  t.equal(DESIGNS.length, MMIO_AXIS.length * TIMER_AXIS.length * IRQ_AXIS.length * CONTROL_AXIS.length);
  for (const { name, design } of DESIGNS) {
    const description = describeDesign(design);
    t.strictSame(designNamed(name), { name, design });
    t.strictSame(designOf(description), design, name);
    t.strictSame(unpackDesign(packDesign(design)), design, name);
    t.equal(axesOf(design), name);
  }
  t.equal(new Set(DESIGNS.map(({ design }) => packDesign(design))).size, DESIGNS.length, 'no two share a word');
});

t.test('a design has the name and class of its preset, else that of its axis values and none', async (t) => {
  for (const { name, design } of DESIGNS) {
    const preset = PRESET_NAMES.find((each) => axesOf(PRESETS[each]) === name);
    t.match(describeDesign(design), { name: preset ?? name, preset, class: preset && classOfPreset(preset) });
  }
});

t.test('control may be left out of a name', async (t) => {
  for (const { name, design } of DESIGNS.filter(({ design }) => design.control.name === 'ordered')) {
    t.strictSame(designNamed(name.replace('/ordered', '')), { name, design });
  }
});

t.test('no other name is a design', async (t) => {
  for (const name of ['', '/', 'bql/bql', 'bql/bql/none', 'bql/bql/inline/none/', 'toString', '__proto__', 'BQL']) {
    t.equal(designNamed(name), undefined, name);
  }
  t.throws(() => designOf({ mmio: 'bql', timer: 'bql', irq: 'none', control: 'none' }), RangeError);
});

t.test('a verdict names its scope, and a design without a stored one is not explored', async (t) => {
  const whole = {
    complete: 46,
    bounded: [
      { count: 1, preemptions: 1 },
      { count: 3, preemptions: 2 },
    ],
  };
  const programs = { complete: 0, bounded: [{ count: 1, preemptions: 2 }] };
  t.equal(
    verdictText({ verdict: 'safe', scenarios: whole, programs }),
    'safe: 46 scenarios complete, 1 up to 1 preemption, 3 up to 2 preemptions; 1 generated program up to 2 preemptions; sequentially consistent memory',
  );
  t.equal(
    scopeText({ verdict: 'stale', scenarios: { complete: 1, bounded: [] }, programs: { complete: 0, bounded: [] } }),
    '1 scenario complete; sequentially consistent memory',
  );
  t.equal(verdictText(undefined), 'not explored');
  t.match(describeDesign(designOf({ mmio: 'bql', timer: 'device', irq: 'lockless', control: 'none' })), {
    class: undefined,
    verdict: 'not explored',
  });
});

t.test('a race and a deadlock are unsafe; other verdicts are their class', async (t) => {
  t.strictSame((['safe', 'stale', 'race', 'deadlock'] as const).map(classOf), ['safe', 'stale', 'unsafe', 'unsafe']);
});
