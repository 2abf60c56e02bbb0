import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { IOAPIC_BASE } from '../../core/devices/guest-map.js';
import { IOREGSEL, IOWIN } from '../../core/devices/ioapic/registers.js';
import type { Setup, StepOutcome } from '../replay/target.js';
import { TargetLost } from '../replay/target.js';
import type { Output, Step } from '../replay/trace.js';
import { type ControlStep, isMarked, isVisible, type ProgramMachine, type ProgramTarget } from './program.js';
import { type Board, findBoard, Qmp } from './qom.js';
import { QemuError, QtestProcess, readLine, rtcLine, writeLine } from './qtest-process.js';

/** For one answer. */
const PATIENCE_MS = 30_000;
/** The pin whose ExtINT entry makes the acknowledge cycles of the 8259 pair; lines from 16 on do not reach the pair. */
export const SPARE_PIN = 23;

/** The qtest lines that write its entry. */
export function acknowledgeAccesses(): string[] {
  return [
    writeLine(IOAPIC_BASE + IOREGSEL, 4, BigInt(0x10 + 2 * SPARE_PIN)),
    writeLine(IOAPIC_BASE + IOWIN, 4, 0x700n),
  ];
}

/** Options of QEMU for one machine, without its sockets. */
export function optionsOf({ hpet, ioapicVersion }: Setup): string[] {
  return [
    ...['-machine', 'q35,hpet=on,pit=off', '-nodefaults', '-display', 'none'],
    ...['-global', `hpet.timers=${hpet.timers}`, '-global', `hpet.msi=${hpet.msi ? 'on' : 'off'}`],
    ...['-global', `hpet.hpet-intcap=${hpet.routingCapability}`],
    ...['-global', `ioapic.version=${ioapicVersion}`],
  ];
}

/** Starts a process of the user's QEMU for each program. */
export class QemuTarget implements ProgramTarget {
  readonly name: string;
  /** Of the QEMU that was started last. */
  version = '';
  board: Board | undefined;
  readonly #running = new Set<QemuMachine>();

  constructor(
    readonly binary: string,
    readonly extra: readonly string[] = [],
  ) {
    this.name = binary;
  }

  /** Rejects with QemuError. */
  async open(setup: Setup): Promise<QemuMachine> {
    const process = await QtestProcess.start(['qtest', 'qmp'], ([qtest, qmp]) =>
      spawn(
        this.binary,
        [
          ...optionsOf(setup),
          ...['-accel', 'qtest', '-qtest', `unix:${qtest}`, '-qmp', `unix:${qmp}`],
          ...['-trace', 'apic_deliver_irq', '-trace', 'memory_region_ops_write'],
          ...this.extra,
        ],
        { stdio: ['ignore', 'ignore', 'pipe'] },
      ),
    );
    const machine = new QemuMachine(process, setup, () => this.#running.delete(machine));
    this.#running.add(machine);
    try {
      this.version = await machine.begin();
      this.board = machine.board;
      return machine;
    } catch (error) {
      await machine.close();
      throw error;
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#running].map((machine) => machine.close()));
  }
}

/**
 * A machine in a QEMU under the qtest accelerator. Answers, changes of intercepted lines and trace events are read from
 * QEMU's log on stderr, since that has all three in the order in which they happened.
 */
export class QemuMachine implements ProgramMachine {
  board!: Board;
  readonly #qmp: Qmp;
  #outputs: Output[] = [];
  #answer: { resolve: (text: string) => void; reject: (error: Error) => void } | undefined;
  #last: Promise<unknown> = Promise.resolve();
  #lost: TargetLost | undefined;
  #onLost: (error: TargetLost) => void = () => {};
  /** Vector of the last ExtINT message. */
  #vector = 0;
  /** Whether the next message to a local APIC is an FSB write of the HPET. */
  #isFsb = false;

  constructor(
    readonly process: QtestProcess,
    readonly setup: Setup,
    readonly onClose: () => void,
  ) {
    const { child, sockets } = process;
    this.#qmp = new Qmp(sockets[1]);
    createInterface({ input: child.stderr as NodeJS.ReadableStream }).on('line', (line) => this.#take(line));
    sockets[0].resume();
    for (const socket of sockets) socket.on('error', () => {});
    child.once('close', (code, signal) => this.#lose(`QEMU ended with status ${code ?? signal}`));
  }

  /** Intercepts the device of the set-up. Resolves to QEMU's version. */
  async begin(): Promise<string> {
    this.board = await findBoard(this.#qmp);
    const { kind } = this.setup;
    if (kind === 'hpet') await this.#command(`irq_intercept_out ${this.board.hpet} sysbus-irq`);
    if (kind === 'pic') await this.#command(`irq_intercept_out ${this.board.master}`);
    await this.#prepare();
    this.#outputs = [];
    return this.board.version;
  }

  perform(step: Step): Promise<StepOutcome> {
    const outcome = this.#last.then(() => this.#perform(step));
    this.#last = outcome.catch(() => {});
    return outcome;
  }

  async control(step: ControlStep): Promise<StepOutcome> {
    if (step.op === 'rtc') {
      await this.#command(rtcLine(this.board.hpet, step.level));
      await this.#command('endianness');
    } else {
      const lost = new Promise<never>((_, reject) => {
        this.#onLost = reject;
      });
      await Promise.race([this.#qmp.reset(), lost]);
      await this.#prepare();
      // The HPET is reset first, and may send through an entry of the IOAPIC that this reset clears (docs/conformance.md).
      this.#outputs = this.#outputs.filter(({ out }) => out !== 'apic');
    }
    return { value: undefined, outputs: this.#takeOutputs() };
  }

  /** The reset of the IOAPIC cleared the entry that makes acknowledge cycles; its select register stays as after a reset. */
  async #prepare(): Promise<void> {
    await this.#command('endianness');
    if (this.setup.kind !== 'pic') return;
    for (const line of acknowledgeAccesses()) await this.#command(line);
  }

  #takeOutputs(): Output[] {
    const outputs = this.#outputs.filter((output) => isVisible(this.setup, output));
    this.#outputs = [];
    return outputs;
  }

  async #perform(step: Step): Promise<StepOutcome> {
    let value: bigint | undefined;
    for (const command of this.#commandsOf(step)) {
      const [, text] = (await this.#command(command)).split(' ');
      if (step.op === 'read' || step.op === 'in') value = BigInt(text);
    }
    // Timers that are overdue run after the answer. QEMU answers this command after them.
    await this.#command('endianness');
    if (step.op === 'inta') value = BigInt(this.#vector);
    return { value, outputs: this.#takeOutputs() };
  }

  #commandsOf(step: Step): string[] {
    const { ioapic, master, slave } = this.board;
    const drive = (path: string, pin: number, level: number) => `set_irq_in ${path} unnamed-gpio-in ${pin} ${level}`;
    switch (step.op) {
      case 'read':
        return [readLine(step.address, step.size)];
      case 'write':
        return [writeLine(step.address, step.size, step.value)];
      case 'clock_step':
        return [`clock_step ${step.ns}`];
      case 'set_irq':
        if (this.setup.kind !== 'pic') return [drive(ioapic, step.pin, step.level)];
        return [drive(step.pin < 8 ? master : slave, step.pin & 7, step.level)];
      case 'eoi':
        return [writeLine(IOAPIC_BASE + 0x40, 4, BigInt(step.vector))];
      case 'in':
        return [`inb 0x${step.port.toString(16)}`];
      case 'out':
        return [`outb 0x${step.port.toString(16)} 0x${step.value.toString(16)}`];
      case 'inta':
        return [drive(ioapic, SPARE_PIN, 1), drive(ioapic, SPARE_PIN, 0)];
    }
  }

  async #command(line: string): Promise<string> {
    if (this.#lost) throw this.#lost;
    let watchdog: NodeJS.Timeout | undefined;
    const answer = await new Promise<string>((resolve, reject) => {
      this.#answer = { resolve, reject };
      watchdog = setTimeout(
        () => this.#lose(`QEMU did not answer ${line} within ${PATIENCE_MS / 1000} s`),
        PATIENCE_MS,
      );
      this.process.sockets[0].write(`${line}\n`);
    }).finally(() => clearTimeout(watchdog));
    if (!answer.startsWith('OK')) throw new QemuError(`QEMU answered ${answer} to ${line}`);
    return answer;
  }

  #take(line: string): void {
    const sent = /^\[S \+[\d.]+\] (.*)$/.exec(line)?.[1];
    if (sent === undefined) this.#takeTrace(line);
    else if (sent.startsWith('IRQ ')) this.#takeLine(sent);
    else {
      const answer = this.#answer;
      this.#answer = undefined;
      answer?.resolve(sent);
    }
  }

  #takeLine(text: string): void {
    const [, change, number] = text.split(' ');
    const level = change === 'raise' ? 1 : 0;
    if (this.setup.kind === 'hpet') this.#outputs.push({ out: 'irq', line: Number(number), level });
    else if (Number(number) === 0) this.#outputs.push({ out: 'intr', level });
  }

  #takeTrace(line: string): void {
    const write = /memory_region_ops_write .* addr (0x\w+) value (0x\w+) .*'apic-msi'/.exec(line);
    if (write) {
      const [addr, data] = [Number(write[1]), Number(write[2])];
      this.#isFsb = isMarked(addr);
      if (this.#isFsb) this.#outputs.push({ out: 'msi', addr, data });
      return;
    }
    const sent = /apic_deliver_irq dest (\d+) dest_mode (\d+) delivery_mode (\d+) vector (\d+) trigger_mode (\d+)/.exec(
      line,
    );
    if (!sent) return;
    const [dest, dest_mode, delivery_mode, vector, trigger_mode] = sent.slice(1).map(Number);
    if (delivery_mode === 7) this.#vector = vector;
    if (!this.#isFsb) this.#outputs.push({ out: 'apic', dest, dest_mode, delivery_mode, vector, trigger_mode });
    this.#isFsb = false;
  }

  #lose(reason: string): void {
    this.#lost ??= new TargetLost(reason);
    this.#onLost(this.#lost);
    this.#answer?.reject(this.#lost);
  }

  async close(): Promise<void> {
    this.onClose();
    await this.process.stop();
  }
}
