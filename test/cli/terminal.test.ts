import { spawnSync } from 'node:child_process';
import t from 'tap';
import { CLI, southbridgeBeside } from '../support/program.js';

/** `script` of util-linux gives a command a terminal. */
const skip = spawnSync('script', ['--version']).status === 0 ? false : 'there is no script (util-linux)';
const EXPLORE = ['explore', '--scenario', 'callback-comparator', '--locking', 'bql,lockless-timer'];
const ESCAPE = '\u001b[';

const hasColour = (text: string) => [31, 32, 33].some((colour) => text.includes(`${ESCAPE}${colour}m`));

/** What a command writes to a terminal of 80 columns. */
function onTerminal(args: readonly string[], environment: { readonly [name: string]: string } = {}): string {
  const command = ['stty cols 80;', process.execPath, CLI, ...args].join(' ');
  const env = { PATH: process.env.PATH, TERM: 'xterm', ...environment };
  const { status, stdout } = spawnSync('script', ['-qec', command, '/dev/null'], {
    env,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (status !== 0) throw new Error(`${args.join(' ')}: status ${status}\n${stdout}`);
  return stdout;
}

t.test('what takes longer than 2 s shows how far it is, and how long the rest takes', { skip }, async (t) => {
  for (const args of [
    EXPLORE,
    ['compare', '--locking', 'bql', '--bql-load', '0,50', '--rounds', '2', '--part-ms', '10'],
    ['replay', 'test/vectors/hpet_fsb.jsonl', 'test/vectors/hpet_legacy.jsonl'],
    ['demo', '--trace', 'test/vectors/hpet_legacy.jsonl', '--rounds', '1', '--part-ms', '10'],
  ]) {
    const text = onTerminal(args);
    t.match(text, /\d+ of \d+/, args.join(' '));
    t.ok(text.includes(`${ESCAPE}2K`), `${args.join(' ')}: the line is redrawn`);
  }
  t.match(onTerminal(EXPLORE), /1 of 2, about \d+ s left/);
  const { stdout, stderr } = await southbridgeBeside(EXPLORE);
  t.notMatch(stdout + stderr, / of 2/, 'no progress in a file');
});

t.test('colour is for terminals that want it', { skip }, async (t) => {
  t.ok(hasColour(onTerminal(EXPLORE)));
  t.notOk(hasColour(onTerminal(EXPLORE, { NO_COLOR: '1' })), 'NO_COLOR');
  t.notOk(hasColour(onTerminal(EXPLORE, { TERM: 'dumb' })), 'TERM=dumb');
  const { stdout } = await southbridgeBeside(EXPLORE);
  t.notOk(hasColour(stdout), 'a pipe');
});
