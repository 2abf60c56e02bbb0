import fc from 'fast-check';
import t from 'tap';
import { Vcpu, type VcpuHolder } from '../../../src/server/service/vcpu.js';

const GRACE_MS = 3_600_000;

function makeVcpu(): Vcpu {
  return new Vcpu('m', 0, 10, () => ({ lines: { hpet: 0, external: 0 }, intr: 0 }));
}

function holder(): VcpuHolder {
  return { interrupt: () => true, hasSession: false, flush: () => {}, close: () => {} };
}

/** What a client and its network do. `steal`: another client tries to take the vCPU. */
const STEPS = ['connect', 'connect, hello lost', 'send', 'noticed loss', 'restart', 'steal'] as const;

t.test(
  'a client comes back with the last token that it received, whatever was lost; no other takes its vCPU',
  async (t) => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...STEPS), { maxLength: 40 }), (steps) => {
        let vcpu = makeVcpu();
        let known: string | undefined;
        let held: VcpuHolder | undefined;
        for (const step of steps) {
          if (step.startsWith('connect')) {
            // Its first hello lost, a client has no token, and waits until the server notices.
            if (known === undefined && held) vcpu.leave(held);
            held = holder();
            const issued = vcpu.take(held, known);
            if (step === 'connect') known = issued;
            else if (known === undefined) vcpu.leave(held);
          } else if (step === 'send' && held) vcpu.confirm(held);
          else if (step === 'noticed loss' && held) vcpu.leave(held);
          else if (step === 'restart') {
            const saved = vcpu.saved(true);
            vcpu = makeVcpu();
            vcpu.restore(saved, GRACE_MS);
            held = undefined;
            // A client that is faster does not keep the vCPU.
            if (known !== undefined) vcpu.take(holder(), undefined);
          } else if (step === 'steal' && vcpu.connected) {
            t.throws(() => vcpu.check('stolen'), { code: 'wrong-resume-token' });
            t.throws(() => vcpu.check(undefined), { code: 'vcpu-taken' });
          }
          // Only a client that received the new token can send on the connection that has it.
          if (step === 'connect, hello lost') held = undefined;
          if (known !== undefined) vcpu.check(known);
        }
      }),
      { numRuns: 500 },
    );
  },
);

t.test('after the first message, the token before takes over no more', async (t) => {
  const vcpu = makeVcpu();
  const first = vcpu.take(holder(), undefined);
  const second = holder();
  vcpu.take(second, first);
  vcpu.check(first);
  vcpu.confirm(second);
  t.throws(() => vcpu.check(first), { code: 'wrong-resume-token' });
});

t.test('without a grace, the former holder of a vCPU has no privilege', async (t) => {
  const old = makeVcpu();
  const token = old.take(holder(), undefined);
  t.notMatch(JSON.stringify(old.saved(true)), token, 'a checkpoint holds no token');
  for (const [ms, isValid] of [
    [GRACE_MS, true],
    [0, false],
  ] as const) {
    const vcpu = makeVcpu();
    vcpu.restore(old.saved(true), ms);
    vcpu.check(token);
    vcpu.take(holder(), 'of another');
    if (isValid) vcpu.check(token);
    else t.throws(() => vcpu.check(token), { code: 'wrong-resume-token' });
  }
});
