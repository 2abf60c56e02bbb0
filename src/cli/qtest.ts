import { Command } from 'commander';
import { parseOptions, StandIn } from '../lab/conform/stand-in.js';
import { atEnding } from './ending.js';

const HELP = `
It connects to the sockets of -qtest unix:PATH and of -qmp unix:PATH (or -chardev socket,path=PATH), takes -global for
hpet.timers, hpet.msi, hpet.hpet-intcap and ioapic.version, and ignores all other options of QEMU.

libqtest takes the architecture from the name of QTEST_QEMU_BINARY: make a script qemu-system-x86_64 of the line
exec npx southbridge qtest "$@".

Exit status: 0 when the program quits or closes the socket, 2 if it cannot be connected to.

Example:
  npx southbridge qtest -qtest unix:/tmp/qtest.sock -qmp unix:/tmp/qmp.sock`;

export const qtest = new Command('qtest')
  .description('stand in for QEMU in programs that use its qtest protocol')
  .argument('[options...]', "QEMU's options")
  .allowUnknownOption()
  .addHelpText('after', HELP)
  .action(run);

async function run(options: string[], _: object, command: Command): Promise<void> {
  const standIn = new StandIn(parseOptions(options), (text) => process.stderr.write(`${text}\n`));
  const leave = atEnding(() => standIn.stop());
  try {
    await standIn.start();
  } catch (error) {
    leave();
    await standIn.stop();
    return command.error(`error: ${(error as Error).message}`);
  }
  await standIn.ended;
  leave();
  await standIn.stop();
}
