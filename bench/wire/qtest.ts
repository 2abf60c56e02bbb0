import { spawn } from 'node:child_process';
import type { Socket } from 'node:net';
import { createHistogram, type RecordableHistogram } from 'node:perf_hooks';
import { QtestProcess, readLine, writeLine } from '../../src/lab/conform/qtest-process.js';
import type { Access } from '../../src/protocol/client-message.js';

/** An access as a line of QEMU's qtest protocol (docs/devel/testing/qtest of QEMU). */
export function qtestLine({ write, address, size, low, high }: Access): string {
  const line = write ? writeLine(address, size, (BigInt(high) << 32n) | BigInt(low)) : readLine(address, size);
  return `${line}\n`;
}

/**
 * A QEMU that the environment's QEMU_QTEST starts, as with
 * `qemu-system-x86_64 -machine q35,hpet=on -accel qtest -display none -qtest unix:$QTEST_SOCKET`: a shell runs it, and it
 * connects to the socket that QTEST_SOCKET names.
 */
export class Qtest {
  #received = '';
  #onLine: (line: string) => void = () => {};

  private constructor(readonly process: QtestProcess) {
    this.socket.setEncoding('latin1').on('data', (text: string) => this.#receive(text));
  }

  get socket(): Socket {
    return this.process.sockets[0];
  }

  /** Undefined if the environment names none. Rejects if what it names does not connect. */
  static async start(command = process.env.QEMU_QTEST): Promise<Qtest | undefined> {
    if (!command) return undefined;
    const launch = ([path]: string[]) =>
      spawn(command, {
        shell: true,
        stdio: ['ignore', 'ignore', 'inherit'],
        env: { ...process.env, QTEST_SOCKET: path },
      });
    return new Qtest(await QtestProcess.start(['qtest'], launch));
  }

  /** Executes accesses once. Rejects with the reply line of the first that fails. */
  async once(accesses: readonly Access[]): Promise<void> {
    const { perSecond } = await this.run(accesses, 1, 0);
    if (!Number.isFinite(perSecond)) throw new Error('QEMU executed no access');
  }

  /** Keeps `depth` groups of these accesses in flight for `ms` milliseconds; returns groups per second, and their durations in ns. */
  run(
    accesses: readonly Access[],
    depth: number,
    ms: number,
  ): Promise<{ perSecond: number; latency: RecordableHistogram }> {
    const text = accesses.map(qtestLine).join('');
    const latency = createHistogram({ lowest: 1, highest: 10e9, figures: 3 });
    return new Promise((resolve, reject) => {
      const begin = performance.now();
      const sent: number[] = [];
      let lines = 0;
      let count = 0;
      const failed = () => reject(new Error('QEMU closed the qtest socket'));
      const send = () => {
        sent.push(performance.now());
        this.socket.write(text);
      };
      this.socket.once('close', failed);
      this.#onLine = (line) => {
        // Skip asynchronous lines such as `IRQ raise 4`.
        if (line.startsWith('IRQ')) return;
        if (!line.startsWith('OK')) {
          reject(new Error(`qtest answered ${line}`));
          return;
        }
        if (++lines % accesses.length !== 0) return;
        const now = performance.now();
        latency.record(Math.max(1, Math.round((now - (sent.shift() as number)) * 1e6)));
        count++;
        if (now < begin + ms) send();
        else if (sent.length === 0) {
          this.socket.off('close', failed);
          resolve({ perSecond: (count / (now - begin)) * 1000, latency });
        }
      };
      for (let group = 0; group < depth; group++) send();
    });
  }

  stop(): Promise<void> {
    return this.process.stop();
  }

  #receive(text: string): void {
    const lines = (this.#received + text).split('\n');
    this.#received = lines.pop() ?? '';
    for (const line of lines) this.#onLine(line.trimEnd());
  }
}
