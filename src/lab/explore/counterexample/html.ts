import { readFileSync } from 'node:fs';
import type { CounterexampleDocument } from './counterexample.js';

/** The package, from `dist/src/lab/explore/counterexample`. */
const root = new URL('../../../../../', import.meta.url);

/**
 * One page that needs nothing else: the stepper of the live page, its styles, and the counterexample. `again`: the
 * command that replays it, up to the replay string.
 */
export function htmlOf(verdict: string, document: CounterexampleDocument, mail: string, again: string): string {
  const style = ['tokens', 'base', 'stepper'].map((name) => textOf(`web/css/${name}.css`)).join('\n');
  const data = JSON.stringify({ document, mail, again }).replace(/</g, '\\u003c');
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escaped(`${document.kind}: ${document.design} × ${document.scenario}`)}</title>
<style>
${style}
main { padding: 16px; max-width: 1200px; width: 100%; margin: 0 auto; }
h1 { font-size: 20px; margin-bottom: 8px; }
</style>
</head>
<body>
<main>
<h1>${escaped(verdict)}</h1>
<noscript><p>The steps need JavaScript. The text form is <code>explore --format mail</code>.</p></noscript>
</main>
<script type="application/json" id="data">${data}</script>
<script type="module">
${moduleOf('web/js/kit/dom.js')}
${moduleOf('web/js/lab/stepper.js')}
const { document: counterexample, mail, again } = JSON.parse(document.getElementById('data').textContent);
document.querySelector('main').append(new Stepper(counterexample, { mail, again, level: 2 }).element);
</script>
</body>
</html>
`;
}

function textOf(file: string): string {
  return readFileSync(new URL(file, root), 'utf8');
}

/** A module of the live page as part of another: without its imports, which are there, and its exports. */
function moduleOf(file: string): string {
  return textOf(file)
    .replace(/^import [^;]*;\n/gm, '')
    .replace(/^export /gm, '');
}

function escaped(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
}
