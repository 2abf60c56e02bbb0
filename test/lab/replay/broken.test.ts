import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { readTrace } from '../../../src/lab/replay/trace.js';
import { linesOf, Scratch } from './vectors.js';

const scratch = new Scratch();
t.teardown(() => scratch.remove());

const whole = linesOf('hpet_oneshot64');
const GUEST_HEADER = JSON.stringify({
  format: 'guest-trace/1',
  name: 'guest',
  hpet: { base: '0xfed00000', timers: 3, msi: false, intcap: '0x00ff0104' },
  ioapic: { base: '0xfec00000', version: '0x20' },
  hpet_line_raises: 0,
  records: 2,
});

/** `whole` with line `line` (from 1) replaced. */
const withLine = (line: number, text: string) => whole.with(line - 1, text);

const PIC_HEADER = '{"format":"pic-trace/1","name":"pic","steps":1}';

/** Files that are no whole trace, and the error after the file's name. */
const BROKEN: { readonly [what: string]: [lines: readonly string[], message: RegExp] } = {
  'a file cut between two lines': [whole.slice(0, 12), /^: the header says 51 steps, the file has 11: cut off\?$/],
  'a file cut inside a line': [[...whole.slice(0, 12), '{"op":"re'], /^:13: not a line of JSON: "{\\"op\\":\\"re"$/],
  'a file cut inside its header': [[whole[0].slice(0, 40)], /^:1: not a line of JSON/],
  'an empty file': [[], /^:1: no header: the file is empty$/],
  'a file with steps too many': [[...whole, whole.at(-1) as string], /the header says 51 steps, the file has 52/],
  'another format': [
    ['{"format":"vcd"}'],
    /^:1: format is "vcd", not hpet-ioapic-trace\/1 or guest-trace\/1 or pic-trace\/1$/,
  ],
  'a later version of the format': [[whole[0].replace('trace/1', 'trace/2')], /^:1: format is "hpet-ioapic-trace\/2"/],
  'a header without its number of steps': [[whole[0].replace('"steps"', '"stops"')], /^:1: record .*steps/],
  'a header that is no object': [['null'], /^:1: not a JSON object: null$/],
  'an unknown step': [withLine(5, '{"op":"reset"}'), /^:5: neither a step nor an output: {"op":"reset"}$/],
  'an output before the first step': [withLine(2, '{"out":"irq","line":0,"level":1}'), /^:2: an output before/],
  'an output that the kind of trace does not tell of': [
    withLine(5, '{"out":"apic","dest":0,"dest_mode":0,"delivery_mode":0,"vector":0,"trigger_mode":0}'),
    /^:5: output apic in a trace of kind hpet$/,
  ],
  'an address that is no number': [withLine(4, '{"op":"read","addr":"x","size":4,"value":"0x0"}'), /^:4: addr must/],
  'a size that no bus has': [withLine(4, '{"op":"read","addr":"0x0","size":3,"value":"0x0"}'), /^:4: size must/],
  'a value that does not fit': [
    withLine(4, '{"op":"write","addr":"0x0","size":1,"value":"0x100"}'),
    /^:4: value 0x100 has more than 1 bytes$/,
  ],
  'a golden read without a value': [withLine(4, '{"op":"read","addr":"0x0","size":4}'), /^:4: .* read has a value$/],
  'an unknown key': [withLine(4, '{"op":"eoi","vector":1,"cpu":0}'), /^:4: cpu /],
  'a golden record with a clock': [withLine(4, '{"op":"eoi","vector":1,"clock":0}'), /^:4: clock belongs in guest/],
  'a guest record without a clock': [[GUEST_HEADER, '{"op":"eoi","vector":1}'], /^:2: clock belongs in guest traces/],
  'a guest whose clock goes back': [
    [GUEST_HEADER, '{"clock":2,"op":"eoi","vector":1}', '{"clock":1,"op":"eoi","vector":1}'],
    /^:3: clock goes back from 2$/,
  ],
  'an 8259 trace with a port that the pair has not': [
    [PIC_HEADER, '{"op":"out","port":"0x22","value":"0x00"}'],
    /^:2: port must/,
  ],
  'an 8259 trace with a step of the HPET': [[PIC_HEADER, '{"op":"clock_step","ns":1}'], /^:2: neither a step nor/],
  'an 8259 trace that is cut': [[PIC_HEADER], /^: the header says 1 steps, the file has 0: cut off\?$/],
  'a guest trace that is cut': [
    [GUEST_HEADER, '{"clock":2,"op":"eoi","vector":1}'],
    /^: the header says 2 records, the file has 1: cut off\?$/,
  ],
};

for (const [what, [lines, message]] of Object.entries(BROKEN)) {
  t.test(`${what} is refused`, async (t) => {
    const file = scratch.write('broken.jsonl', lines);
    try {
      readTrace(file);
      t.fail('was read');
    } catch (error) {
      const text = (error as Error).message;
      t.ok(text.startsWith(file));
      t.match(text.slice(file.length), message);
    }
  });
}

t.test('what is no file is refused', async (t) => {
  const folder = join(scratch.folder, 'folder.jsonl');
  mkdirSync(folder);
  t.throws(() => readTrace(folder), { message: /folder\.jsonl: cannot be read: EISDIR/ });
});
