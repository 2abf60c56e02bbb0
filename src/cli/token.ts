import { Command, Option } from 'commander';
import { SouthbridgeError } from '../errors.js';
import { ROLES, type Role } from '../server/security/roles.js';
import { addToken, expiryOf, limitsText, readTokenFile, removeToken } from '../server/security/token-file.js';

interface File {
  readonly file: string;
}

interface AddOptions extends File {
  readonly role: Role;
  readonly machines?: string;
  readonly expires?: string;
}

const FILE = ['--file <file>', "the server's tokenFile"] as const;
const RELOAD = '\nA server that runs reads its token file again on SIGHUP.\n';

/** The end of a help text. */
function example(line: string): string {
  return `\nExample:\n  npx southbridge token ${line}`;
}

const add = new Command('add')
  .description('make a token, show it once, and keep its hash in the file')
  .argument('<name>', 'to tell it from others: whose it is, or what for')
  .requiredOption(...FILE)
  .addOption(
    new Option(
      '--role <role>',
      'observe: look at everything; drive: also use machines; admin: also make and delete them',
    )
      .choices(ROLES)
      .makeOptionMandatory(),
  )
  .option('--machines <patterns>', 'good only for machines of these names, such as vm-*,test')
  .option('--expires <time>', 'good until the end of this day (UTC), or until this time, such as 2027-01-31')
  .addHelpText('after', RELOAD + example('add ci --role drive --file tokens'))
  .exitOverride()
  .action((name: string, { file, role, machines, expires }: AddOptions) =>
    carryOut(() => {
      const limits = { machines: machines?.split(','), expires: expires && expiryOf(expires) };
      return `${addToken(file, name, role, limits)}\n`;
    }),
  );

const list = new Command('list')
  .description('show name, role, day and limits of each token')
  .requiredOption(...FILE)
  .addHelpText('after', example('list --file tokens'))
  .exitOverride()
  .action(({ file }: File) =>
    carryOut(() =>
      readTokenFile(file)
        .map((entry) => `${[entry.name, entry.role, entry.made, ...limitsText(entry)].join(' ')}\n`)
        .join(''),
    ),
  );

const remove = new Command('remove')
  .description('take a token back')
  .argument('<name>', 'under which it was made')
  .requiredOption(...FILE)
  .addHelpText('after', RELOAD + example('remove ci --file tokens'))
  .exitOverride()
  .action((name: string, { file }: File) =>
    carryOut(() => {
      removeToken(file, name);
      return `removed ${name}\n`;
    }),
  );

export const token = new Command('token')
  .description("make, show and take back the tokens of a server's token file")
  .addCommand(add)
  .addCommand(list)
  .addCommand(remove)
  .addHelpText('after', example('add ci --role drive --file tokens'));

/** Writes what the work returns, or why it could not be done. */
function carryOut(work: () => string): void {
  try {
    process.stdout.write(work());
  } catch (error) {
    if (!(error instanceof SouthbridgeError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  }
}
