import { ERROR_CODES, ERRORS } from '../errors.js';
import { code, page, table } from './markdown.js';

/** `docs/errors.md` */
export function errorsPage(): string {
  return page(
    '# Errors',
    'Generated from `src/errors/` by `npm run docs:generate`.',
    'A refusal changes nothing. Over HTTP it is `{"error":{"code":…,"message":…}}` with the status below, on a socket a ' +
      'message of type `error`; both also carry the parts that are in braces here. Programs may rely on the codes, but ' +
      'not on the wording. Codes that begin with `config-` are those of `serve` and `config check`, which tell them on ' +
      'standard error and end with status 1.',
    table(
      ['code', 'status', 'message'],
      ERROR_CODES.map((name) => [code(name), String(ERRORS[name].status), ERRORS[name].message]),
    ),
  );
}
