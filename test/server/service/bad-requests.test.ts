import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import t from 'tap';
import { ERRORS, type ErrorCode } from '../../../src/errors.js';
import { TestServer } from '../../support/server.js';

const WIDE = '"0x1ffffffff"';

/** Method, path after the machine, body as text, expected code. */
const CASES: readonly (readonly [string, string, string | undefined, ErrorCode])[] = [
  ['GET', '/v1/machines/nobody', undefined, 'unknown-machine'],
  ['GET', '/v1/machines/nobody/hpet', undefined, 'unknown-machine'],
  ['DELETE', '/v1/machines/nobody', undefined, 'unknown-machine'],
  ['POST', '/v1/machines/nobody/lines/4', '{"level":1}', 'unknown-machine'],
  ['GET', '/v1/machines/m/mmio/0xfed00400', undefined, 'address-unassigned'],
  ['GET', '/v1/machines/m/mmio/0xfed003fc?size=8', undefined, 'address-unassigned'],
  ['PUT', '/v1/machines/m/mmio/0xfecffffe', '{"value":"0x1"}', 'address-unassigned'],
  ['GET', '/v1/machines/m/mmio/0xffffffffffffffff', undefined, 'address-unassigned'],
  ['GET', '/v1/machines/m/mmio/fed00000', undefined, 'bad-address'],
  ['GET', '/v1/machines/m/mmio/4275044352', undefined, 'bad-address'],
  ['GET', '/v1/machines/m/mmio/0xfed00000?size=3', undefined, 'bad-size'],
  ['GET', '/v1/machines/m/mmio/0xfed00000?size=eight', undefined, 'bad-size'],
  ['GET', '/v1/machines/m/mmio/0xfed00000?width=8', undefined, 'unknown-key'],
  ['PUT', '/v1/machines/m/mmio/0xfed00010', `{"value":${WIDE}}`, 'value-too-wide'],
  ['PUT', '/v1/machines/m/mmio/0xfed00010?size=1', '{"value":"0x100"}', 'value-too-wide'],
  ['PUT', '/v1/machines/m/mmio/0xfed00010', '{"value":1}', 'bad-value'],
  ['PUT', '/v1/machines/m/mmio/0xfed00010', '{"value":9007199254740993}', 'bad-value'],
  ['PUT', '/v1/machines/m/mmio/0xfed00010', '{"value":"1"}', 'bad-value'],
  ['PUT', '/v1/machines/m/mmio/0xfed00010', '{}', 'invalid-body'],
  ['PUT', '/v1/machines/m/mmio/0xfed00010', '{"value":"0x1"', 'invalid-body'],
  ['PUT', '/v1/machines/m/mmio/0xfed00010', '', 'invalid-body'],
  ['PUT', '/v1/machines/m/mmio/0xfed00010', '[]', 'invalid-body'],
  ['PUT', '/v1/machines/m/mmio/0xfed00010', 'null', 'invalid-body'],
  ['PUT', '/v1/machines/m/mmio/0xfed00010', '{"value":"0x1","__proto__":{}}', 'invalid-body'],
  ['PUT', '/v1/machines/m/mmio/0xfed00010', '{"value":"0x0","value":"0x1"}', 'duplicate-key'],
  ['PUT', '/v1/machines/m/mmio/0xfed00010', '{"value":"0x0","val\\u0075e" :"0x1"}', 'duplicate-key'],
  [
    'POST',
    '/v1/machines/m/mmio',
    '{"accesses":[{"type":"read","address":"0xfed00010","size":4,"size":8}]}',
    'duplicate-key',
  ],
  ['POST', '/v1/machines/m/reset', 'null', 'invalid-body'],
  ['POST', '/v1/machines/m/mmio', '{"accesses":{}}', 'bad-value'],
  [
    'POST',
    '/v1/machines/m/mmio',
    '{"accesses":[{"type":"write","address":"0xfed00010","size":4,"value":"0x1"},{"type":"read","address":"0x0","size":4}]}',
    'address-unassigned',
  ],
  ['POST', '/v1/machines/m/mmio', '{"accesses":[{"type":"write","address":"0xfed00010","size":4}]}', 'bad-value'],
  [
    'POST',
    '/v1/machines/m/mmio',
    '{"accesses":[{"type":"read","address":"0xfed00010","size":4,"value":"0x1"}]}',
    'unknown-key',
  ],
  ['POST', '/v1/machines/m/mmio', `{"accesses":[${Array(5).fill('{}').join()}]}`, 'invalid-body'],
  [
    'POST',
    '/v1/machines/m/mmio',
    `{"accesses":[${Array(5).fill('{"type":"read","address":"0xfed00010","size":4}').join()}]}`,
    'batch-too-large',
  ],
  ['POST', '/v1/machines/m/lines/24', '{"level":1}', 'bad-gsi'],
  ['POST', '/v1/machines/m/lines/-1', '{"level":1}', 'bad-gsi'],
  ['POST', '/v1/machines/m/lines/four', '{"level":1}', 'bad-gsi'],
  ['POST', '/v1/machines/m/lines/4', '{"level":2}', 'bad-value'],
  ['POST', '/v1/machines/m/lines/4', '{"level":"1"}', 'bad-value'],
  ['POST', '/v1/machines/m/lines/4', '{"level":true}', 'bad-value'],
  ['POST', '/v1/machines/m/clock/step', '{"ns":1000}', 'bad-value'],
  ['POST', '/v1/machines/m/clock/step', '{"ns":"0x10"}', 'bad-value'],
  ['POST', '/v1/machines/m/clock/step', '{"ns":"9007199254740992"}', 'step-too-far'],
  ['POST', '/v1/machines/real/clock/step', '{"ns":"1"}', 'clock-not-manual'],
  ['POST', '/v1/machines', '{"name":"m"}', 'machine-exists'],
  ['POST', '/v1/machines', '{"name":"another"}', 'too-many-machines'],
  ['POST', '/v1/machines', '{"name":"UPPER"}', 'bad-value'],
  ['POST', '/v1/machines', '{"name":"x","vcpus":"2"}', 'bad-value'],
  ['POST', '/v1/machines', '{"name":"x","hpet":{"timers":2}}', 'bad-value'],
  ['POST', '/v1/machines', '{"name":"x","hpet":{"tmers":4}}', 'unknown-key'],
  ['POST', '/v1/machines', '{"name":"x","locking":"none"}', 'bad-value'],
  ['POST', '/v1/machines', '{"name":"x","locking":{"mmio":"bql"}}', 'invalid-body'],
  ['POST', '/v1/machines', '{}', 'invalid-body'],
  ['POST', '/v1/machines/m/reset', '{"hard":true}', 'unknown-key'],
  [
    'PUT',
    '/v1/machines/m/snapshot',
    '{"version":1,"takenAt":true,"config":{},"virtualTime":"0","sequence":"0","intr":0,"state":{},"deadlines":[]}',
    'bad-value',
  ],
  ['PUT', '/v1/log', '{"level":"loud"}', 'bad-value'],
  ['GET', '/v1/machines/m/vcpus/0', undefined, 'upgrade-required'],
  ['GET', '/v1/machines/m/irqs', undefined, 'upgrade-required'],
  ['GET', '/v2/machines', undefined, 'unknown-route'],
  ['POST', '/v1/machines/m/hpet', '{}', 'method-not-allowed'],
  ['GET', '/%zz', undefined, 'bad-request'],
  ['PUT', '/v1/machines/m/mmio/0xfed00010', `{"value":"0x1${' '.repeat(2000)}"}`, 'body-too-large'],
];

t.test('bad input has a coded answer and changes nothing', async (t) => {
  const server = await TestServer.start({
    limits: { machines: 2, bodyBytes: 1024, batchAccesses: 4 },
    machines: [{ name: 'm', clock: 'manual' }, { name: 'real' }],
  });
  t.teardown(server.stop);
  const look = async () => [
    await server.get('/v1/machines/m'),
    await server.get('/v1/machines/m/hpet'),
    await server.get('/v1/machines/m/ioapic'),
  ];
  const before = await look();
  const refused = (
    what: string,
    status: number,
    body: { error: { code: ErrorCode; message: string } },
    code: ErrorCode,
  ) => {
    t.equal(body.error?.code, code, what);
    t.equal(status, ERRORS[code].status, what);
    t.notMatch(body.error?.message, /undefined|\{\w+\}/, what);
  };

  for (const [method, path, body, code] of CASES) {
    const reply = await server.request(method, path, body);
    refused(`${method} ${path} ${body?.slice(0, 80) ?? ''}`, reply.status, reply.body, code);
  }

  for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x']) {
    const reply = await server.request('POST', '/v1/machines/m/lines/4', '{"level":1}', { 'content-type': type });
    refused(type, reply.status, reply.body, 'unsupported-media-type');
  }
  const headers: readonly (readonly [string, string, ErrorCode])[] = [
    ['origin', 'http://example.org', 'foreign-origin'],
    ['origin', 'null', 'foreign-origin'],
    ['origin', 'http://localhost:1', 'foreign-origin'],
    ['host', 'example.org', 'foreign-host'],
    ['host', 'localhost.example.org', 'foreign-host'],
    ['host', '127.0.0.1.example.org', 'foreign-host'],
  ];
  for (const [name, value, code] of headers) {
    const { status, text } = await rawRequest(server.url, { [name]: value });
    refused(`${name}: ${value}`, status, JSON.parse(text), code);
  }
  for (const [name, value] of [
    ['host', 'localhost'],
    ['host', '[::1]:80'],
    ['origin', server.url],
  ]) {
    t.equal((await rawRequest(server.url, { [name]: value })).status, 200, `${name}: ${value} is welcome`);
  }
  t.match(await answerTo(server.url, '\x16\x03\x01 hello\r\n\r\n'), /^HTTP\/1\.1 400 .*"code":"bad-request"/s);
  const coded = 'HTTP/1.1\r\nhost: 127.0.0.1\r\ntransfer-encoding:';
  t.match(
    await answerTo(server.url, `HEAD /v1/machines ${coded} identity\r\n\r\n`),
    /^HTTP\/1\.1 400 .*\r\n\r\n$/s,
    'a head alone, as it was asked for',
  );
  const twice = await answerTo(server.url, `POST /v1/nothing ${coded} chunked\r\n\r\n`, 'no length\r\n');
  t.match(twice, /^HTTP\/1\.1 404/);
  t.equal(twice.split('HTTP/1.1').length, 2, 'a body that is wrong gets no answer beside that of its request');

  t.same(await look(), before, 'nothing changed');
});

function rawRequest(url: string, headers: Record<string, string>): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(`${url}/v1/machines/m/hpet`, { headers }, (response) => {
      let text = '';
      response.on('data', (chunk) => {
        text += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
    });
    request.on('error', reject);
    request.end();
  });
}

/** What the server answers to bytes of which each part but the first is sent once something was answered. */
function answerTo(url: string, ...parts: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const left = [...parts];
    const socket = connect(Number(new URL(url).port), '127.0.0.1', () => socket.write(left.shift() ?? ''));
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk;
      const next = left.shift();
      if (next !== undefined) socket.write(next);
    });
    socket.on('end', () => resolve(text));
    socket.on('error', reject);
  });
}
