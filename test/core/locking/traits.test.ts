import t from 'tap';
import type { Design } from '../../../src/core/locking/axes.js';
import { AXES, allCombinations, packDesign } from '../../../src/core/locking/presets.js';
import { traitFaults } from '../../../src/core/locking/trait-check.js';
import { SOURCES } from '../../structure/source.js';

t.test('every combination of axis values takes the locks that its traits declare', async (t) => {
  for (const { name, design } of allCombinations()) t.strictSame(traitFaults(design), [], name);
});

t.test('a trait of the lock order that says the opposite is a fault', async (t) => {
  const traits = {
    mmio: ['underBql'],
    timer: ['lockless', 'keepsBql', 'takesBqlUnderMutex'],
    irq: ['lockless'],
    control: ['takesMutex'],
  } as const;
  const [{ design }] = allCombinations();
  for (const [axis, names] of Object.entries(traits)) {
    for (const value of AXES[axis as keyof Design]) {
      for (const name of names) {
        const wrong = { ...value, [name]: !value[name as keyof typeof value] };
        t.not(traitFaults({ ...design, [axis]: wrong }).length, 0, `${axis}: ${value.name} with the opposite ${name}`);
      }
    }
  }
});

t.test('a value that is not part of its axis cannot be stored in a machine', async (t) => {
  const [{ design }] = allCombinations();
  for (const axis of Object.keys(AXES) as (keyof Design)[]) {
    t.throws(() => packDesign({ ...design, [axis]: { ...design[axis] } }), RangeError, axis);
  }
});

t.test('no code recognises an axis value by its name', async (t) => {
  const names = new Set(
    Object.values(AXES)
      .flat()
      .map(({ name }) => name),
  );
  const comparison = /\bname\s*[!=]==?\s*'([^']+)'/g;
  const found = SOURCES.flatMap(({ path, text }) =>
    [...text.matchAll(comparison)].filter(([, name]) => names.has(name)).map(([code]) => `${path}: ${code}`),
  );
  // A machine's Xen filter has a form that is called `none`, and expectations name presets.
  t.strictSame(
    found.filter((place) => !place.startsWith('src/lab/explore/expectations.ts')),
    [],
  );
});
