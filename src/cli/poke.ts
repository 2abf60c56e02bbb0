import { Command, InvalidArgumentError, Option } from 'commander';
import { serverUrl, whole } from './arguments.js';
import { type Answer, askServer, SERVER_STATUS, type ServerOptions } from './server-request.js';
import { tokenFileOption } from './token-option.js';

interface Options extends ServerOptions {
  readonly machine: string;
}

const EXAMPLE = '\nExample:\n  npx southbridge poke read 0xfed000f0';

export const poke = new Command('poke')
  .description('read or write a register, drive a line, or step the clock of a machine')
  .addHelpText('after', `${SERVER_STATUS}\n${EXAMPLE}`);

const sizeOption = () =>
  new Option('--size <bytes>', 'width of the access').choices(['1', '2', '4', '8']).default('8', '8 bytes');

function operation(name: string, description: string, example: string): Command {
  return poke
    .command(name)
    .description(description)
    .option('--url <url>', 'of the server', serverUrl, 'http://127.0.0.1:8080')
    .option('--machine <name>', 'the machine', 'default')
    .addOption(tokenFileOption())
    .option('--json', 'print one JSON object')
    .addHelpText('after', `${SERVER_STATUS}\n\nExample:\n  npx southbridge poke ${example}`);
}

operation('read', 'read a register', 'read 0xfed000f0')
  .argument('<address>', 'such as 0xfed000f0, the main counter of the HPET', address)
  .addOption(sizeOption())
  .action((at: string, options: Options & { size: string }, command: Command) =>
    run(options, command, 'GET', `mmio/${at}?size=${options.size}`, undefined, ({ value }) => `${value}\n`),
  );

operation('write', 'write a register', 'write 0xfed00010 1')
  .argument('<address>', 'such as 0xfed00010, the general configuration of the HPET', address)
  .argument('<value>', 'such as 1 or 0x43', value)
  .addOption(sizeOption())
  .action((at: string, written: string, options: Options & { size: string }, command: Command) =>
    run(options, command, 'PUT', `mmio/${at}?size=${options.size}`, { value: written }),
  );

operation('line', 'drive an interrupt line, as an external device does', 'line 16 1')
  .argument('<gsi>', 'number of the line, 0 to 23', whole(0, 23))
  .argument('<level>', '0 or 1', whole(0, 1))
  .action((gsi: number, level: number, options: Options, command: Command) =>
    run(options, command, 'POST', `lines/${gsi}`, { level }),
  );

operation('step', 'move the clock of a machine with clock: manual', 'step 1000000 --machine vm-1')
  .argument('<ns>', 'nanoseconds', whole(0, 9_999_999_999))
  .action((ns: number, options: Options, command: Command) =>
    run(options, command, 'POST', 'clock/step', { ns: String(ns) }, ({ virtualTime }) => `now at ${virtualTime} ns\n`),
  );

function address(text: string): string {
  if (/^0x[0-9a-f]{1,16}$/i.test(text)) return text;
  throw new InvalidArgumentError('It is hexadecimal, such as 0xfed000f0.');
}

/** As the server wants it. */
function value(text: string): string {
  if (/^(0x[0-9a-f]{1,16}|\d{1,20})$/i.test(text)) return `0x${BigInt(text).toString(16)}`;
  throw new InvalidArgumentError('It is a number, decimal or hexadecimal as in 0x43.');
}

async function run(
  options: Options,
  command: Command,
  method: string,
  path: string,
  body?: object,
  textOf?: (answer: Answer) => string,
): Promise<void> {
  const machine = `/v1/machines/${encodeURIComponent(options.machine)}`;
  await askServer(options, command, method, `${machine}/${path}`, body, textOf);
}
