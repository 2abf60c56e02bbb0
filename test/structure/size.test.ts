import t from 'tap';
import { isGenerated, SOURCES } from './source.js';

const LONGEST = 400;
/** A file of so many lines or fewer is small; axis values stand in a file each whatever their length. */
const SMALL = 20;
const MOST_SMALL = 40;
const AXIS_VALUE = /^src\/core\/locking\/(mmio|timer|irq|control)\//;

const files = SOURCES.filter(({ path }) => !isGenerated(path)).map(({ path, text }) => ({
  path,
  lines: text.trimEnd().split('\n').length,
}));

t.test('no file is too long, and few are very short', async (t) => {
  t.strictSame(
    files.filter(({ lines }) => lines > LONGEST),
    [],
    `at most ${LONGEST} lines`,
  );
  const small = files.filter(({ path, lines }) => lines <= SMALL && !AXIS_VALUE.test(path));
  t.ok(small.length <= MOST_SMALL, `${small.length} files of ${SMALL} lines or fewer`);
});
