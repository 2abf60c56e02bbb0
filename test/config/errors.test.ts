import { readdirSync, readFileSync } from 'node:fs';
import t from 'tap';
import { ERROR_CODES, ERRORS, SouthbridgeError } from '../../src/errors.js';

t.test('every code has a sentence and a status', async (t) => {
  t.ok(ERROR_CODES.length > 30);
  t.equal(new Set(ERROR_CODES).size, ERROR_CODES.length);
  for (const code of ERROR_CODES) {
    const { status, message } = ERRORS[code];
    t.match(code, /^[a-z]+(-[a-z]+)*$/);
    t.ok(Number.isInteger(status) && status >= 400 && status <= 599, `${code}: ${status}`);
    t.match(message, /^(\{\w+\}|vCPU|[A-Z]).*\.$/, code);
    t.equal(message.replace(/\{\w+\}/g, '').match(/[{}]/), null, `${code}: braces are placeholders`);
  }
  t.equal(new Set(ERROR_CODES.map((code) => ERRORS[code].message)).size, ERROR_CODES.length, 'no sentence twice');
});

t.test('no code is in two of the tables', async (t) => {
  const tables = new URL('../../../src/errors/', import.meta.url);
  const codes = readdirSync(tables).flatMap((file) =>
    [...readFileSync(new URL(file, tables), 'utf8').matchAll(/^ {2}'?([\w-]+)'?: \{$/gm)].map(([, code]) => code),
  );
  t.strictSame(codes.toSorted(), ERROR_CODES.toSorted());
});

t.test('details fill the sentence and go along', async (t) => {
  const error = new SouthbridgeError('unknown-vcpu', { machine: 'default', vcpu: 9, last: 7, extra: { a: 1 } });
  t.equal(error.message, 'Machine default has no vCPU 9; its vCPUs are 0 to 7.');
  t.equal(error.status, 404);
  t.strictSame(JSON.parse(JSON.stringify(error)), {
    error: { code: 'unknown-vcpu', message: error.message, machine: 'default', vcpu: 9, last: 7, extra: { a: 1 } },
  });
  t.strictSame(Object.keys(new SouthbridgeError('shutting-down').toJSON().error), ['code', 'message']);
});

t.test('what a client sent is not taken for a placeholder', async (t) => {
  const error = new SouthbridgeError('unknown-route', { method: 'GET', path: '/{method}$&' });
  t.equal(error.message, 'No route for GET /{method}$&; /docs lists every route.');
});
