import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { InProcessTarget } from '../../../src/lab/replay/in-process.js';
import type { Mismatch } from '../../../src/lab/replay/player.js';
import { replayAll } from '../../../src/lab/replay/runner.js';
import { GUEST_VECTORS, linesOf, Scratch, SILENT } from './vectors.js';

const scratch = new Scratch();
const target = new InProcessTarget();
t.teardown(async () => {
  await target.close();
  scratch.remove();
});

async function mismatchesOf(files: readonly string[]) {
  const candidates = files.map((file) => ({ file, named: true }));
  const { results } = await replayAll(candidates, target, { locking: 'lockless-timer' }, SILENT);
  return results.map(({ mismatch }) => mismatch);
}

/** The mismatch that a change to the lines of a trace makes; an unchanged trace after it must still pass. */
async function mismatchOf(name: string, change: (lines: string[]) => void): Promise<Mismatch | null> {
  const lines = linesOf(name);
  const whole = scratch.write('whole.jsonl', lines);
  change(lines);
  const [mismatch, after] = await mismatchesOf([scratch.write('changed.jsonl', lines), whole]);
  t.equal(after, null);
  return mismatch;
}

const CHANGED = join(scratch.folder, 'changed.jsonl');

/** Step 18, lines 19 to 35: lines 16 to 23 of the HPET are pulsed, in this order. */
const PULSES = [16, 17, 18, 19, 20, 21, 22, 23].flatMap((line) => [`line ${line} = 1`, `line ${line} = 0`]);
const STEP_18 = { file: CHANGED, line: 19, step: 18, operation: 'clock_step 10000 ns' };

t.test('a changed value', async (t) => {
  const mismatch = await mismatchOf('hpet_oneshot64', (lines) => {
    t.equal(lines[10], '{"op":"read","addr":"0xfed000f0","size":8,"value":"0x0000000000000000"}');
    lines[10] = lines[10].replace('0x0000000000000000', '0x0000000000000001');
  });
  t.same(mismatch, {
    file: CHANGED,
    line: 11,
    step: 10,
    operation: 'read 8 bytes at 0xfed000f0',
    expected: '0x0000000000000001',
    got: '0x0000000000000000',
  });
});

t.test('an output less in the trace', async (t) => {
  const mismatch = await mismatchOf('hpet_same_deadline', (lines) => lines.splice(34, 1));
  t.same(mismatch, { ...STEP_18, expected: PULSES.slice(0, 15).join(', '), got: PULSES.join(', ') });
});

t.test('an output more in the trace', async (t) => {
  const mismatch = await mismatchOf('hpet_same_deadline', (lines) =>
    lines.splice(35, 0, '{"out":"irq","line":3,"level":1}'),
  );
  t.same(mismatch, { ...STEP_18, expected: [...PULSES, 'line 3 = 1'].join(', '), got: PULSES.join(', ') });
});

t.test('outputs in another order', async (t) => {
  const mismatch = await mismatchOf('hpet_same_deadline', (lines) => {
    [lines[19], lines[20]] = [lines[20], lines[19]];
  });
  const swapped = [PULSES[1], PULSES[0], ...PULSES.slice(2)];
  t.same(mismatch, { ...STEP_18, expected: swapped.join(', '), got: PULSES.join(', ') });
});

t.test('an output where there is none', async (t) => {
  const mismatch = await mismatchOf('hpet_same_deadline', (lines) =>
    lines.splice(2, 0, '{"out":"irq","line":0,"level":1}'),
  );
  t.same(mismatch, {
    file: CHANGED,
    line: 2,
    step: 1,
    operation: 'write 0x0000000000002004 to 0xfed00100',
    expected: 'line 0 = 1',
    got: 'no output',
  });
});

t.test('every field of a message to the local APICs', async (t) => {
  const at = linesOf('ioapic_destinations').findIndex((line) => line.includes('"out":"apic"'));
  for (const field of ['dest', 'dest_mode', 'delivery_mode', 'vector', 'trigger_mode']) {
    const mismatch = await mismatchOf('ioapic_destinations', (lines) => {
      const output = JSON.parse(lines[at]);
      lines[at] = JSON.stringify({ ...output, [field]: output[field] ^ 1 });
    });
    t.equal(mismatch?.line, at, field);
    t.not(mismatch?.expected, mismatch?.got);
  }
});

t.test('address and data of an MSI', async (t) => {
  const at = linesOf('hpet_fsb').findIndex((line) => line.includes('"out":"msi"'));
  for (const field of ['addr', 'data']) {
    const mismatch = await mismatchOf('hpet_fsb', (lines) => {
      lines[at] = JSON.stringify({ ...JSON.parse(lines[at]), [field]: '0x00000000' });
    });
    t.match(mismatch?.expected, `${field} 0x00000000`);
    t.notMatch(mismatch?.got, `${field} 0x00000000`);
  }
});

t.test('a guest that finds another value, or other lines raised', async (t) => {
  const lines = readFileSync(join(GUEST_VECTORS, 'linux-6.1-oneshot-up.jsonl'), 'utf8').trimEnd().split('\n');
  const header = JSON.parse(lines[0]);
  // The machine raises 875 lines: within 3 % of 890, and not of 920.
  const near = scratch.write('near.jsonl', [JSON.stringify({ ...header, hpet_line_raises: 890 }), ...lines.slice(1)]);
  const far = scratch.write('far.jsonl', [JSON.stringify({ ...header, hpet_line_raises: 920 }), ...lines.slice(1)]);
  const at = lines.findLastIndex((line) => line.includes('"op":"read"') && line.includes('"value"'));
  const read = JSON.parse(lines[at]);
  lines[at] = JSON.stringify({ ...read, value: `0x${(BigInt(read.value) ^ 1n).toString(16)}` });
  const wrong = scratch.write('wrong.jsonl', lines);

  const [isNear, isFar, isWrong] = await mismatchesOf([near, far, wrong]);
  t.equal(isNear, null);
  t.match(isFar, {
    file: far,
    line: lines.length,
    operation: 'end of trace',
    expected: 'HPET lines raised 920 times, within 3 %',
    got: /^8\d\d times$/,
  });
  t.match(isWrong, { file: wrong, line: at + 1, operation: `read ${read.size} bytes at ${read.addr}` });
});
