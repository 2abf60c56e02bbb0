import { Command, Option } from 'commander';
import { SouthbridgeError } from '../errors.js';
import { ROLES, type Role } from '../server/security/roles.js';
import { addToken, readTokenFile, removeToken } from '../server/security/token-file.js';

interface File {
  readonly file: string;
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
  .addHelpText('after', RELOAD + example('add ci --role drive --file tokens'))
  .exitOverride()
  .action((name: string, { file, role }: File & { readonly role: Role }) =>
    carryOut(() => `${addToken(file, name, role)}\n`),
  );

const list = new Command('list')
  .description('show name, role and day of each token')
  .requiredOption(...FILE)
  .addHelpText('after', example('list --file tokens'))
  .exitOverride()
  .action(({ file }: File) =>
    carryOut(() =>
      readTokenFile(file)
        .map(({ name, role, made }) => `${name} ${role} ${made}\n`)
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
