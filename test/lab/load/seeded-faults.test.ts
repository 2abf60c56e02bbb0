import t from 'tap';
import type { LoadReport } from '../../../src/lab/load/report.js';
import { serverFrame } from '../../../src/protocol/protobuf/answers.js';
import type { ApicFields, ServerMessage } from '../../../src/protocol/server-message.js';
import { type Meddle, MeddlingProxy } from '../../support/meddling-proxy.js';
import { CLI, Program } from '../../support/program.js';
import { TestServer } from '../../support/server.js';
import { loadOn, workload } from './loads.js';

/** The proxy tampers with one interrupt in so many. */
const EVERY = 1000;
/** The first is early, so that the test does not wait for a thousand interrupts. */
const FIRST = 7;

/** The proxy drops events with a sequence number that is a multiple of this, if they are interrupts. */
const DROPPED = 16;

/** A fault of a server, injected by a proxy. */
class SeededFault {
  count = 0;
  readonly happened: Promise<void>;
  #happened: () => void = () => {};

  /** `meddle` returns undefined for a frame that it leaves unchanged. */
  constructor(readonly meddle: (...parameters: Parameters<Meddle>) => readonly Uint8Array[] | undefined) {
    this.happened = new Promise((resolve) => {
      this.#happened = resolve;
    });
  }

  proxy(target: string): Promise<MeddlingProxy> {
    return MeddlingProxy.start(target, (message, frame, stream) => {
      const frames = this.meddle(message, frame, stream);
      if (!frames) return [frame];
      this.count++;
      this.#happened();
      return frames;
    });
  }
}

/** Delivers every thousandth interrupt `times` times. */
function repeated(times: number): SeededFault {
  let interrupts = 0;
  return new SeededFault((message, frame) => {
    if (message.type !== 'interrupt' || interrupts++ % EVERY !== FIRST) return undefined;
    return Array.from({ length: times }, () => frame);
  });
}

/** Fields of an interrupt message, or of the IRQ stream's event that reports one. */
function apicFields(message: ServerMessage): ApicFields | undefined {
  if (message.type === 'interrupt') return message.message;
  return message.type === 'irq' && message.event.kind === 'apic' ? message.event.message : undefined;
}

t.test('a load finds one dropped or doubled interrupt in a thousand, also in a run that Ctrl-C ends', async (t) => {
  const server = await TestServer.start();
  t.teardown(server.stop);

  /** Runs the command, and interrupts it after the first fault. */
  const command = async (wrong: SeededFault) => {
    const proxy = await wrong.proxy(server.url);
    const parameters = ['--vcpus', '8', '--workload', 'rte-churn', '--duration', '10m', '--json'];
    const program = new Program([CLI, 'load', '--url', proxy.url, ...parameters]);
    await wrong.happened;
    program.child.kill('SIGINT');
    const report: LoadReport = JSON.parse((await program.line()) ?? '');
    const status = await program.exited;
    await proxy.stop();
    return { status, report };
  };

  const dropped = repeated(0);
  const doubled = repeated(2);
  const [lossy, doubling] = await Promise.all([command(dropped), command(doubled)]);

  t.match(lossy, { status: 130, report: { ok: false, interrupts: { lost: dropped.count, doubled: 0 }, faults: 0 } });
  t.match(lossy.report.interrupts.examples[0], /^lost: event \d+ never reached vCPU \d$/);
  t.match(doubling, {
    status: 130,
    report: { ok: false, interrupts: { lost: 0, doubled: doubled.count }, faults: 0 },
  });
  t.match(doubling.report.interrupts.examples[0], /^doubled: event \d+ reached vCPU \d twice$/);
});

t.test('other faults of a server', async (t) => {
  const server = await TestServer.start();
  t.teardown(server.stop);

  t.test('a main counter that reads as 0 once', async (t) => {
    let reads = 0;
    const wrong = new SeededFault((message) => {
      if (message.type !== 'reply' || message.value === undefined || ++reads !== 20) return undefined;
      return [serverFrame({ ...message, value: { ...message.value, low: 0, high: 0 } })];
    });
    const proxy = await wrong.proxy(server.url);
    t.teardown(() => proxy.stop());
    const report = await loadOn(proxy.url, { workload: workload('counter-read') }, () => wrong.count > 0);
    t.match(report, { ok: false, interrupts: { lost: 0, doubled: 0 }, faults: 1 });
    t.match(report.faultExamples[0], /^vCPU \d read the main counter as 0 after it had been [1-9]/);
  });

  for (const [name, example] of [
    ['timer-tick', /^lost: a timer of vCPU \d was armed and never interrupted$/],
    ['periodic', /^lost: timer \d was due by \d+ ns, ticked for \d+$/],
  ] as const) {
    t.test(`${name}: interrupts that neither a vCPU receives nor the IRQ stream reports`, async (t) => {
      const wrong = new SeededFault((message) => {
        const isIt = apicFields(message) && 'sequence' in message && message.sequence % DROPPED === 0;
        return isIt ? [] : undefined;
      });
      const proxy = await wrong.proxy(server.url);
      t.teardown(() => proxy.stop());
      const options = { workload: workload(name), patienceMs: 3000, vcpus: 2 };
      const report = await loadOn(proxy.url, options, ({ progress }) => progress.lost > 0);
      t.match(report, { ok: false, interrupts: { doubled: 0 }, faults: 0 });
      t.ok(report.interrupts.lost > 0 && report.interrupts.lost <= wrong.count, `${report.interrupts.lost} lost`);
      t.match(report.interrupts.examples[0], example);
    });
  }
});
