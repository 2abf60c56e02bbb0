import t from 'tap';
import { parse } from 'yaml';
import { PAGES } from '../../src/docs/pages.js';
import { loadText } from './load.js';

t.test('the example in the documentation is a configuration', async (t) => {
  const [, example] = /```yaml\n(.*?)```/s.exec(PAGES['configuration.md']()) ?? [];
  t.match(loadText(example).configuration, parse(example));
});
