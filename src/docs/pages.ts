import { ERROR_CODES, ERRORS } from '../errors.js';
import { answerText } from './answer.js';
import { configurationPage } from './configuration.js';
import { code, page, table } from './markdown.js';
import { memoryMapPage } from './memory-map.js';
import { metricsPage } from './metrics.js';
import { scenariosPage } from './scenarios.js';

/** `docs/errors.md` */
function errorsPage(): string {
  return page(
    '# Errors',
    'Generated from `src/errors/` by `npm run docs:generate`.',
    'A refused request changes nothing. An HTTP reply carries `{"error":{"code":…,"message":…}}` with the status below, a ' +
      'socket a message of type `error`. Both also contain the values in braces as fields. Programs may rely on the codes, but ' +
      'not on the wording. `serve` and `config check` print errors with a code that begins with `config-` to standard ' +
      'error, and exit with status 1.',
    table(
      ['code', 'status', 'message'],
      ERROR_CODES.map((name) => [code(name), String(ERRORS[name].status), ERRORS[name].message]),
    ),
  );
}

/** The generated files of `docs/`, and the functions that generate them. */
export const PAGES: { readonly [file: string]: () => string } = {
  'answer.txt': answerText,
  'configuration.md': configurationPage,
  'errors.md': errorsPage,
  'memory-map.md': memoryMapPage,
  'metrics.md': metricsPage,
  'scenarios.md': scenariosPage,
};
