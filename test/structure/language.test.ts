import { readdirSync, readFileSync } from 'node:fs';
import t from 'tap';
import { ROOT } from './source.js';

/** Phrases without an ordinary meaning in this field. */
const PHRASES = [
  'told of',
  'tells of',
  'whoever',
  'anew',
  'for ever',
  'under way',
  'carried out',
  'handed over',
  'planted',
  'comes round',
  'come round',
  'look again',
  'looks again',
  'taken back',
  'without further ado',
  'handing over',
  'carrying out',
  'underway',
  'laid down',
  'told from',
  'whomever',
  'in vain',
];

/** Identifiers that another term has replaced. */
const IDENTIFIERS = [
  'keeper',
  'underWay',
  'handOver',
  'planted',
  'plant',
  'carryOut',
  'framePace',
  'laboratory',
  'Laboratory',
  'Station',
  'Course',

  'ownPace',
  'Underway',
];

/** This file has to name the phrases. */
const OWN = 'test/structure/language.test.ts';

const EXTENSIONS = /\.(md|ts|js|mjs|css|html|proto|ya?ml|sh)$/;
const TREES = [
  'README.md',
  'CHANGELOG.md',
  'CONTRIBUTING.md',
  'docs',
  'src',
  'routes',
  'test',
  'bench',
  'web',
  'proto',
  'examples',
];
const GENERATED = /^src\/protocol\/gen\/|^docs\/comparison\.html$|^test\/vectors\/|^web\/vendor\//;

function filesOf(tree: string): string[] {
  if (EXTENSIONS.test(tree)) return [tree];
  return readdirSync(`${ROOT}${tree}`, { recursive: true, encoding: 'utf8' })
    .map((file) => `${tree}/${file}`)
    .filter((file) => EXTENSIONS.test(file));
}

const FILES = TREES.flatMap(filesOf).filter((file) => file !== OWN && !GENERATED.test(file));

/** Phrases can be broken over lines, also of a comment. */
const PHRASE = new RegExp(
  `\\b(${PHRASES.map((phrase) => phrase.replaceAll(' ', '\\s+(?:\\*\\s+|//\\s+|#\\s+)?')).join('|')})\\b`,
  'gi',
);
const IDENTIFIER = new RegExp(`\\b(${IDENTIFIERS.join('|')})\\b`, 'g');

function faultsOf(path: string): string[] {
  const text = readFileSync(`${ROOT}${path}`, 'utf8');
  const identifiers = /\.(ts|js|mjs)$/.test(path) ? [...text.matchAll(IDENTIFIER)] : [];
  return [...text.matchAll(PHRASE), ...identifiers].map(
    ({ 0: found, index }) => `${path}:${text.slice(0, index).split('\n').length}: ${found.replace(/\s+/g, ' ')}`,
  );
}

t.test('the list finds phrases, also over a line break, and only whole words', async (t) => {
  t.ok(PHRASE.test('is told\n * of it'));
  PHRASE.lastIndex = 0;
  t.notOk(PHRASE.test('a renewed transplanted'));
  PHRASE.lastIndex = 0;
});

t.test('all text has none of the phrases and identifiers', async (t) => {
  t.strictSame(FILES.flatMap(faultsOf), []);
});
