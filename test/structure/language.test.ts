import { readdirSync, readFileSync } from 'node:fs';
import t from 'tap';
import { ROOT, SOURCES } from './source.js';

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

/** Words of identifiers that another term has replaced, besides the phrases. `underWay` contains `under way`. */
const WORDS = [
  'told',
  'tell',
  'tells',
  'keeper',
  'plant',
  'planted',
  'hand over',
  'hands over',
  'carry out',
  'frame pace',
  'own pace',
  'laboratory',
  'station',
  'course',
];

/** Public names that releases have: a configuration key with its environment variable, and a metric. */
const EXCEPTIONS = [/^requestsUnderWay$/, /requests_under_way$/i];

/** This file has to name the phrases. */
const OWN = 'test/structure/language.test.ts';

const EXTENSIONS = /\.(md|ts|js|mjs|css|html|proto|ya?ml|sh|json|c|h|py|service)$|(^|\/)Dockerfile$|^\.ci\/\w+$/;
const CODE = /\.(ts|js|mjs|proto|sh|c|h|py)$|^\.ci\//;
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
  'clients',
  'docker',
  '.ci',
];
const GENERATED =
  /^src\/protocol\/gen\/|^docs\/comparison\.html$|^test\/vectors\/|^web\/vendor\/|^docs\/results\.json$/;

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

/** Identifiers of two words or more, also in comments; and single words where they are declared, or are members. */
const IDENTIFIER = /[A-Za-z][A-Za-z0-9]*(?:_[A-Za-z0-9]+|[A-Z][A-Za-z0-9]*)+/g;
const DECLARED = /(?:\b(?:const|let|function|class|interface|type|get|def|struct|enum)\s+|#|\w\.)([A-Za-z]+)\b/g;
const BANNED = new RegExp(` (${[...PHRASES, ...WORDS].join('|')}) `);

/** `isHandedOver` and `IS_HANDED_OVER` are both ` is handed over `. */
function wordsOf(identifier: string): string {
  const words = identifier.replace(/([a-z0-9])([A-Z])|([A-Z])(?=[A-Z][a-z])/g, '$1$3 $2').replaceAll('_', ' ');
  return ` ${words.toLowerCase()} `;
}

function isBanned(identifier: string): boolean {
  return BANNED.test(wordsOf(identifier)) && !EXCEPTIONS.some((exception) => exception.test(identifier));
}

function identifiersOf(text: string): { readonly 0: string; readonly index: number }[] {
  const declared = [...text.matchAll(DECLARED)].map(({ 1: name, index }) => ({ 0: name, index }));
  return [...text.matchAll(IDENTIFIER), ...declared].filter(({ 0: name }) => isBanned(name));
}

function faultsOf(path: string): string[] {
  const text = readFileSync(`${ROOT}${path}`, 'utf8');
  const identifiers = CODE.test(path) ? identifiersOf(text) : [];
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

t.test('identifiers are compared word by word', async (t) => {
  const found = (text: string) => identifiersOf(text).map(({ 0: name }) => name);
  for (const name of [
    'isHandedOver',
    'toldAndHandedOver',
    'HAND_OVER_BEGINS',
    'MOST_UNDER_WAY',
    'XMLKeeper',
    'rows_told',
  ]) {
    t.strictSame(found(`x = ${name} + 1`), [name]);
  }
  for (const text of ['const told = 1', 'this.#tell()', 'class Station {', 'void sb_told(void);']) {
    t.equal(found(text).length, 1, text);
  }
  for (const text of ['limits.requestsUnderWay', 'southbridge_requests_under_way', 'transplantedOf', 'He told us.']) {
    t.strictSame(found(text), [], text);
  }
});

t.test('all text has none of the phrases and identifiers', async (t) => {
  t.strictSame(FILES.flatMap(faultsOf), []);
});

/** Words with more than one meaning in this field: each is the name of one type only. */
const ONE_MEANING = [
  'Access',
  'Guard',
  'MachineState',
  'Outcome',
  'Request',
  'RequestPorts',
  'Snapshot',
  'VcpuRequests',
] as const;

t.test('a type with a word of several meanings as its name is declared once', async (t) => {
  for (const name of ONE_MEANING) {
    const declaration = new RegExp(`^(?:export )?(?:class|interface|type) ${name}\\b`, 'm');
    t.equal(SOURCES.filter(({ text }) => declaration.test(text)).length, 1, name);
  }
});
