import t from 'tap';
import { replayAll } from '../../../src/lab/replay/runner.js';
import { jsonClientCodec } from '../../../src/protocol/json/client-codec.js';
import { protoClientCodec } from '../../../src/protocol/protobuf/client-codec.js';
import { TestServer } from '../../support/server.js';
import { tier } from '../../support/tier.js';
import { CodedTarget } from './coded-target.js';
import { GOLDEN, PIC, SILENT } from './vectors.js';

const server = await TestServer.start();
t.teardown(() => server.stop());

for (const codec of [jsonClientCodec, protoClientCodec]) {
  const target = new CodedTarget(server, codec);

  t.test(`all 8259 traces over ${codec.subprotocol}`, async (t) => {
    const report = await replayAll(PIC, target, { locking: 'lockless-irq' }, SILENT);
    t.same(
      report.results.filter((result) => !result.passed),
      [],
    );
    t.equal(report.passed, 99);
  });

  t.test(`golden traces over ${codec.subprotocol}`, async (t) => {
    const traces = GOLDEN.filter((_, number) => number % (20 * tier.traceStride) === 0);
    const report = await replayAll(traces, target, { locking: 'lockless-irq' }, SILENT);
    t.same(
      report.results.filter((result) => !result.passed),
      [],
    );
    t.equal(report.passed, traces.length);
  });

  t.test(`8259 traces without a switch over ${codec.subprotocol}`, async (t) => {
    const options = { locking: 'lockless-irq', quirks: { 'pic-edge-survives': false } } as const;
    const report = await replayAll(PIC.slice(0, 30), target, options, SILENT);
    t.ok(report.failed > 0, 'a difference is seen');
  });
}
