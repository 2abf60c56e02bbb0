import { readFileSync } from 'node:fs';
import type { Family } from '../family.js';

const { version } = JSON.parse(readFileSync(new URL('../../../../../package.json', import.meta.url), 'utf8'));

export const buildInfo: Family = {
  name: 'southbridge_build_info',
  type: 'gauge',
  help: 'Always 1, with the version of the server, of Node.js, and the architecture that they run on.',
  labels: ['version', 'node', 'arch'],
  *samples() {
    yield { labels: { version, node: process.version, arch: process.arch }, value: 1 };
  },
};
