import t from 'tap';
import type { PresetName } from '../../../src/core/locking/presets.js';
import { cellOf } from '../../../src/lab/compare/comparison.js';
import { conditionsOf } from '../../../src/lab/compare/condition.js';
import { FIGURE_NAMES, HAZARDS, type Measurement } from '../../../src/lab/compare/figures.js';
import type { DemoResult } from '../../../src/lab/demo/demo.js';
import { isAsExpected } from '../../../src/lab/demo/demo.js';
import { demoText } from '../../../src/lab/demo/text.js';
import type { CampaignResult } from '../../../src/lab/explore/campaign.js';
import { scenarioNamed } from '../../../src/lab/explore/scenarios.js';

const none = Object.fromEntries(HAZARDS.map((hazard) => [hazard, 0])) as Measurement['hazards'];

/** Seven rounds around one value of every figure. */
function cell(locking: PresetName, value: number) {
  const rounds = Array.from({ length: 7 }, (_, round): Measurement => {
    const figures = Object.fromEntries(FIGURE_NAMES.map((name) => [name, value + round / 100]));
    return { figures: figures as Measurement['figures'], hazards: none };
  });
  return cellOf(locking, conditionsOf({})[0].name, rounds);
}

function exploration(locking: string, deadlock: boolean): CampaignResult {
  return {
    locking,
    scenario: 'callback-comparator',
    mutex: 'blocking',
    complete: true,
    preemptions: 'unbounded',
    states: 1234,
    transitions: 5678,
    seconds: 1,
    findings: deadlock ? [{ kind: 'deadlock', summary: 'A waits for B', path: [1, 2] }] : [],
    unexpected: deadlock === (locking === 'nested-mutex') ? [] : ['something else'],
  };
}

function result(values: readonly [number, number, number], deadlocks: readonly [boolean, boolean]): DemoResult {
  const [bql, timer, irq] = values;
  return {
    boot: {
      name: 'a-boot',
      url: 'http://127.0.0.1:1',
      locking: 'lockless-timer',
      seconds: 2,
      reads: 1000,
      writes: 100,
      raises: 10,
      messages: 11,
      mismatch: undefined,
    },
    comparison: {
      machine: { cpu: 'a processor', cores: 2, node: 'v20', platform: 'linux x64' },
      date: '',
      seed: 1,
      rounds: 7,
      partMs: 100,
      conditions: conditionsOf({}),
      cells: [cell('bql', bql), cell('lockless-timer', timer), cell('lockless-irq', irq)],
    },
    explorations: [exploration('nested-mutex', deadlocks[0]), exploration('lockless-timer', deadlocks[1])],
    scenario: scenarioNamed('callback-comparator'),
    seconds: 10,
  };
}

/** Without breaks of lines. */
const textOf = (demo: DemoResult) => demoText(demo, 'southbridge').replace(/\s+/g, ' ');

t.test('what the demo says follows from its results', async (t) => {
  const usual = result([10, 20, 30], [true, false]);
  t.equal(isAsExpected(usual), true);
  const text = textOf(usual);
  t.match(text, /waited for locks, most first: lockless-irq 30\.0 %, lockless-timer 20\.0 %, bql 10\.0 %/);
  t.match(text, /MMIO p99 at a BQL load of 50 %: bql \(10 ns\) before lockless-timer/);
  t.match(text, /nested-mutex has a deadlock/);
  t.match(text, /lockless-timer: no interleaving of callback-comparator goes wrong/);

  const other = result([30, 20, 10], [false, true]);
  t.equal(isAsExpected(other), false);
  const opposite = textOf(other);
  t.match(opposite, /most first: bql 30\.0 %, lockless-timer 20\.0 %, lockless-irq 10\.0 %/);
  t.match(opposite, /MMIO p99 at a BQL load of 50 %: lockless-irq \(10 ns\) before bql/);
  t.match(opposite, /lockless-timer has a deadlock/);
  t.match(opposite, /nested-mutex: no interleaving of callback-comparator goes wrong/);

  t.match(textOf(result([10, 10, 10], [true, false])), /no difference between the safe designs can be claimed/);
});

t.test('a guest that saw other values is not passed over', async (t) => {
  const usual = result([10, 20, 30], [true, false]);
  const mismatch = { file: 'f', line: 8, step: 7, operation: 'read 0xfed000f0', expected: '0x1', got: '0x2' };
  const demo = { ...usual, boot: { ...usual.boot, mismatch } };
  t.equal(isAsExpected(demo), false);
  const text = textOf(demo);
  t.match(text, /Step 7, read 0xfed000f0, was expected to give 0x1 and gave 0x2\./);
  t.match(text, /The guest saw other values/);
  t.notMatch(text, /Every value read was the recorded one/);
});
