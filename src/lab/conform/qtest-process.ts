import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** For QEMU to start and connect. */
const PATIENCE_MS = 30_000;
export const RTC_INPUT = 1;
const SUFFIX: { readonly [size: number]: string } = { 1: 'b', 2: 'w', 4: 'l', 8: 'q' };

/** A read as a line of QEMU's qtest protocol (docs/devel/testing/qtest of QEMU), without its end. */
export function readLine(address: number, size: number): string {
  return `read${SUFFIX[size]} 0x${address.toString(16)}`;
}

export function writeLine(address: number, size: number, value: bigint): string {
  return `write${SUFFIX[size]} 0x${address.toString(16)} 0x${value.toString(16)}`;
}

/** The RTC drives its input of the HPET. */
export function rtcLine(hpet: string, level: number): string {
  return `set_irq_in ${hpet} unnamed-gpio-in ${RTC_INPUT} ${level}`;
}

/** A QEMU that does not start, does not connect, or no longer answers. */
export class QemuError extends Error {
  override readonly name = 'QemuError';
}

/** A QEMU process that has connected to private Unix sockets. QEMU outlives its sockets: only `stop` ends it. */
export class QtestProcess {
  private constructor(
    readonly child: ChildProcess,
    readonly sockets: readonly Socket[],
    readonly folder: string,
  ) {}

  /** `launch` starts the process, given the paths of the sockets. Rejects with QemuError. */
  static async start(names: readonly string[], launch: (paths: string[]) => ChildProcess): Promise<QtestProcess> {
    const folder = mkdtempSync(join(tmpdir(), 'southbridge-qtest-'));
    const patience = AbortSignal.timeout(PATIENCE_MS);
    const paths = names.map((name) => join(folder, `${name}.sock`));
    const servers = paths.map((path) => createServer().listen(path));
    const remove = () => rmSync(folder, { recursive: true, force: true });
    let child: ChildProcess | undefined;
    try {
      await Promise.all(servers.map((server) => once(server, 'listening')));
      const connected = servers.map(async (server) => (await once(server, 'connection', { signal: patience }))[0]);
      for (const connection of connected) connection.catch(() => {});
      child = launch(paths);
      const ended = endOf(child);
      ended.catch(() => {});
      const sockets = await Promise.race([Promise.all(connected), ended]);
      return new QtestProcess(child, sockets, folder);
    } catch (error) {
      child?.kill('SIGKILL');
      remove();
      if (patience.aborted) throw new QemuError(`QEMU did not connect to its sockets within ${PATIENCE_MS / 1000} s`);
      throw error;
    } finally {
      for (const server of servers) server.close();
    }
  }

  async stop(): Promise<void> {
    const { child } = this;
    const exited = child.exitCode === null && child.signalCode === null ? once(child, 'exit') : undefined;
    for (const socket of this.sockets) socket.destroy();
    child.kill('SIGKILL');
    await exited;
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Rejects when the process ends. */
async function endOf(child: ChildProcess): Promise<never> {
  let text = '';
  child.stderr?.on('data', (chunk) => {
    text += chunk;
  });
  const ending = await new Promise<string>((resolve) => {
    child.once('error', ({ message }) => resolve(`could not be started: ${message}`));
    child.once('close', (code, signal) =>
      resolve(
        `ended with status ${code ?? signal} before it connected to its sockets: ${text.trim().split('\n').at(-1)}`,
      ),
    );
  });
  throw new QemuError(`QEMU ${ending}`);
}
