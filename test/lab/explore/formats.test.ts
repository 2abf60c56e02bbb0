import t from 'tap';
import { designNamed, type NamedDesign } from '../../../src/core/locking/presets.js';
import { runOne } from '../../../src/lab/explore/campaign.js';
import { drawColumns } from '../../../src/lab/explore/counterexample/columns.js';
import { describeFinding } from '../../../src/lab/explore/counterexample/counterexample.js';
import { htmlOf } from '../../../src/lab/explore/counterexample/html.js';
import { mailOf } from '../../../src/lab/explore/counterexample/mail.js';
import { mermaidOf } from '../../../src/lab/explore/counterexample/mermaid.js';
import { worstFirst } from '../../../src/lab/explore/finding.js';
import { replayString } from '../../../src/lab/explore/replay-string.js';
import { scenarioNamed } from '../../../src/lab/explore/scenarios.js';
import { southbridge } from '../../support/program.js';

const explore = (...args: string[]) => southbridge(['explore', ...args]);

/** The worst counterexample of a design in a scenario, and its replay string. */
function worst(design: string, scenario: string) {
  const result = runOne(designNamed(design) as NamedDesign, scenarioNamed(scenario), { mutex: 'blocking' });
  const [finding] = worstFirst(result.findings);
  return { document: describeFinding(result, finding), replay: replayString(result, finding) };
}

const CASES = [
  worst('nested-mutex', 'callback-acknowledge'),
  worst('deferred-irq', 'callback-acknowledge'),
  worst('lockless-timer', 'callback-acknowledge'),
  worst('lockless-timer', 'seqlock-legacy'),
  worst('lockless-irq', 'xen-flag-assert'),
];
const [deadlock, stale, note] = CASES;

t.test('text fits 80 columns, and marks only what violates the property', async (t) => {
  for (const { document } of CASES) {
    const lines = drawColumns(document).split('\n');
    t.same(
      lines.filter((line) => line.length > 76),
      [],
      document.summary,
    );
    const marked = lines.filter((line) => line.includes('✗')).length;
    t.equal(marked, document.steps.filter(({ violates }) => violates).length, document.summary);
  }
  const ordinary = drawColumns(note.document);
  t.match(ordinary, /^waits for device/m);
  t.notMatch(ordinary, /✗ waits/, 'ordinary waiting is no fault');
});

t.test('mail has 72 columns, numbered steps, names of QEMU, locks held, and the line that reproduces it', async (t) => {
  for (const { document, replay } of CASES) {
    const text = mailOf('FAIL head', document, 'npx southbridge explore --replay');
    t.same(
      text.split('\n').filter((line) => line.length > 72),
      [],
      document.summary,
    );
    t.match(text, /^ {2}1\. /m);
    t.match(text, /^ {7}(hpet_|main_loop|timerlist_|update_irq|gsi_|timer_|xen_|qemu_)\w+ {2}\(/m);
    t.ok(text.replace(/\\\n\s*/g, '').includes(`explore --replay ${replay}`), 'as a shell joins it');
    t.ok(text.replace(/\s+/g, ' ').includes(document.consequence), 'what the guest sees');
    t.equal((text.match(/<-- here/g) ?? []).length, document.steps.filter((s) => s.violates && s.thread >= 0).length);
    t.notMatch(text, /\b(bql|waits for device)\b/, 'locks have the names of QEMU');
  }
  const text = mailOf('FAIL head', deadlock.document, 'npx southbridge explore --replay');
  t.match(
    text,
    /1 lock held by main loop:\n #0: \(BQL\), at: main_loop_wait .*\n1 lock held by vCPU 0:\n #0: \(s->lock\), at: hpet_ram_write /,
  );
  t.match(text, / lock\(BQL\);\n +lock\(s->lock\);\n +lock\(s->lock\);\n +lock\(BQL\);\n\n \*\*\* DEADLOCK \*\*\*/);
});

t.test('a stale line change in a mail ends at the change that no step corrects', async (t) => {
  const text = mailOf('FAIL head', stale.document, 'npx southbridge explore --replay');
  t.match(text, /writes GSI 4 high \(0\) → low {3}<-- here/);
  t.match(text, /more steps; none of them corrects it\)\n.*at rest: /);
});

/** The statements of a sequence diagram, as far as a counterexample needs them. */
const STATEMENT =
  /^ {2}(?:actor G as guest|participant [TL]\d as [^;#]+|(?:activate|deactivate) L\d|Note over [GT]\d?: [^;#]+|(\w+)(?:->>|-->>|-x)(\w+): [^;#]+)$/;

t.test('mermaid is a sequence diagram whose messages go between its participants', async (t) => {
  for (const { document } of CASES) {
    const [first, ...lines] = mermaidOf(document).trimEnd().split('\n');
    t.equal(first, 'sequenceDiagram');
    const active = new Set<string>();
    const known = lines.flatMap((line) => /^ {2}(?:actor|participant) (\w+)/.exec(line)?.[1] ?? []);
    for (const line of lines) {
      const statement = STATEMENT.exec(line);
      if (!t.ok(statement, line)) continue;
      for (const name of statement?.slice(1) ?? []) if (name) t.ok(known.includes(name), line);
      const [, verb, lock = ''] = /^ {2}(activate|deactivate) (L\d)/.exec(line) ?? [];
      if (verb === 'activate') active.add(lock);
      if (verb === 'deactivate') t.ok(active.delete(lock), `${line}: it was active`);
    }
    t.match(lines.join('\n'), /✗/, 'the violation');
  }
  const lines = mermaidOf(deadlock.document);
  t.match(lines, /T0->>L0: 2 takes \(main_loop_wait\)/);
  t.match(lines, /T1-xL0: \d+ waits for \(update_irq\)/);
});

t.test('html is one file that needs nothing else', async (t) => {
  const page = htmlOf('FAIL <head>', deadlock.document, 'mail </script>', 'npx southbridge explore --replay');
  t.match(page, /^<!doctype html>/);
  t.notMatch(page, /<link|\bsrc=|@import|\burl\(|^import /m);
  const [, data = ''] = /<script type="application\/json" id="data">(.*)<\/script>/.exec(page) ?? [];
  const again = 'npx southbridge explore --replay';
  t.same(JSON.parse(data), { document: deadlock.document, mail: 'mail </script>', again });
});

t.test('explore prints the verdict first, and the other formats alone', async (t) => {
  const [, , { replay }] = CASES;
  const text = explore('--replay', replay);
  t.match(text, { status: 0, stdout: /^NOTE lockless-timer × callback-acknowledge, one schedule: atomicity\n/ });
  const diagram = explore('--replay', deadlock.replay, '--format', 'mermaid');
  t.match(diagram, { status: 1, stdout: /^sequenceDiagram\n/, stderr: '' });
  t.equal(diagram.stdout, mermaidOf(deadlock.document));
  const found = explore('--locking', 'bql,lockless-timer', '--scenario', 'callback-acknowledge', '--format', 'mail');
  t.equal(found.status, 0);
  t.match(found.stdout, /^PASS bql × callback-acknowledge, exhaustive: no findings\n/);
  t.match(found.stdout, /^NOTE lockless-timer × callback-acknowledge, exhaustive: atomicity\n/m);
  const page = explore('--locking', 'nested-mutex', '--scenario', 'callback-acknowledge', '--format', 'html');
  t.match(page, {
    status: 0,
    stdout: /^<!doctype html>/,
    stderr: /^FAIL nested-mutex × callback-acknowledge, exhaustive: deadlock/,
  });
});
