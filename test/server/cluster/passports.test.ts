import t from 'tap';
import type { Members } from '../../../src/server/cluster/members.js';
import type { NodeSecret } from '../../../src/server/cluster/node-secret.js';
import { Passports } from '../../../src/server/cluster/passports.js';
import { leaseKey, type NodeLife } from '../../../src/server/cluster/records.js';
import { ReplayWindow } from '../../../src/server/cluster/replay-window.js';
import fc from '../../support/properties.js';

const [A, B, C] = ['a', 'b', 'c'].map((node): NodeLife => ({ node, incarnation: `${node}1` }));
const CLIENT = {
  address: '203.0.113.7',
  token: { name: 'guest', role: 'drive', made: '2026-11-30', machines: ['m*'] },
  isLocal: false,
} as const;

/** The nodes of a cluster with one secret; the leases of `open` are open. */
function passportsOf(life: NodeLife, key = Buffer.alloc(32, 7), open: readonly NodeLife[] = [A, B, C]): Passports {
  const keys = new Set(open.map(leaseKey));
  const members = { has: (each: NodeLife) => keys.has(leaseKey(each)) } as unknown as Members;
  const secret = { current: key, accepted: [key] } as unknown as NodeSecret;
  return new Passports({ secret, members, life: () => life });
}

function to(life: NodeLife) {
  return { ...life, address: 'http://127.0.0.1:1' };
}

function codeOf(work: () => unknown): string {
  try {
    work();
    return '';
  } catch (error) {
    return (error as { code: string }).code;
  }
}

t.test('a passport is good once, for one request to one life of a node', async (t) => {
  const [sender, receiver] = [passportsOf(A), passportsOf(B)];
  const passport = sender.issue(to(B), 'PUT', '/v1/machines/m?x=1', CLIENT);
  t.equal(
    codeOf(() => receiver.verify(passport, 'POST', '/v1/machines/m?x=1')),
    'forwarding-refused',
    'another method',
  );
  t.equal(
    codeOf(() => receiver.verify(passport, 'PUT', '/v1/machines/n?x=1')),
    'forwarding-refused',
    'another URL',
  );
  const foreign = passportsOf(B, Buffer.alloc(32, 8));
  t.equal(
    codeOf(() => foreign.verify(passport, 'PUT', '/v1/machines/m?x=1')),
    'forwarding-refused',
    'another secret',
  );
  for (const other of [passportsOf(C), passportsOf({ ...B, incarnation: 'b2' }), passportsOf(B, undefined, [B])])
    t.equal(
      codeOf(() => other.verify(passport, 'PUT', '/v1/machines/m?x=1')),
      'forwarding-stale',
    );
  t.strictSame(receiver.verify(passport, 'PUT', '/v1/machines/m?x=1'), CLIENT);
  t.equal(
    codeOf(() => receiver.verify(passport, 'PUT', '/v1/machines/m?x=1')),
    'forwarding-stale',
    'used before',
  );
});

t.test('no changed passport is accepted', async (t) => {
  const passport = passportsOf(A).issue(to(B), 'GET', '/v1/machines', CLIENT);
  const changed = fc
    .tuple(fc.nat(passport.length - 1), fc.constantFrom(...'AZaz09-_.'))
    .map(([at, character]) => passport.slice(0, at) + character + passport.slice(at + 1))
    // The last character of base64 may have bits that nobody reads.
    .filter((text) => Buffer.from(text.split('.')[1] ?? '', 'base64url').toString('hex') + text.split('.')[0] !== same);
  const [text, mac] = passport.split('.');
  const same = Buffer.from(mac, 'base64url').toString('hex') + text;
  fc.assert(
    fc.property(changed, (text) => {
      t.equal(
        codeOf(() => passportsOf(B).verify(text, 'GET', '/v1/machines')),
        'forwarding-refused',
      );
    }),
    { numRuns: 50 },
  );
  for (const nothing of ['', '.', 'x', 'e30.', `.${mac}`])
    t.equal(
      codeOf(() => passportsOf(B).verify(nothing, 'GET', '/v1/machines')),
      'forwarding-refused',
    );
});

t.test('a number counts once, in whichever order numbers come', async () => {
  const width = 65_536;
  const numbers = fc.array(fc.oneof(fc.integer({ min: -1, max: 200 }), fc.integer({ min: 1, max: 4 * width })), {
    maxLength: 60,
  });
  fc.assert(
    fc.property(numbers, (sent) => {
      const window = new ReplayWindow();
      const used = new Set<number>();
      let greatest = 0;
      for (const number of sent) {
        const isNew = number > 0 && number > greatest - width && !used.has(number);
        if (window.take(number) !== isNew) throw new Error(`${number} of ${sent}`);
        if (isNew) used.add(number);
        greatest = Math.max(greatest, number);
      }
    }),
    { numRuns: 300 },
  );
});
