import { Command, Option } from 'commander';
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
const RELOAD = '\nA running server rereads its token file on SIGHUP.\n';

/** The end of a help text. */
function example(line: string): string {
  return `\nExample:\n  npx southbridge token ${line}`;
}

const add = new Command('add')
  .description('create a token, print it once, and store its hash in the file')
  .argument('<name>', 'name of the token: its owner or its purpose')
  .requiredOption(...FILE)
  .addOption(
    new Option(
      '--role <role>',
      'observe: view everything; drive: also use machines; admin: also create and delete machines',
    )
      .choices(ROLES)
      .makeOptionMandatory(),
  )
  .option('--machines <patterns>', 'valid for machines with these names only, such as vm-*,test')
  .option('--expires <time>', 'valid until the end of this day (UTC) or until this time, such as 2027-01-31')
  .addHelpText('after', RELOAD + example('add ci --role drive --file tokens'))
  .exitOverride()
  .action((name: string, { file, role, machines, expires }: AddOptions) => {
    const limits = { machines: machines?.split(','), expires: expires && expiryOf(expires) };
    process.stdout.write(`${addToken(file, name, role, limits)}\n`);
  });

const list = new Command('list')
  .description('list the name, role, creation day and limits of each token')
  .requiredOption(...FILE)
  .addHelpText('after', example('list --file tokens'))
  .exitOverride()
  .action(({ file }: File) => {
    for (const entry of readTokenFile(file)) {
      process.stdout.write(`${[entry.name, entry.role, entry.made, ...limitsText(entry)].join(' ')}\n`);
    }
  });

const remove = new Command('remove')
  .description('revoke a token')
  .argument('<name>', 'name of the token')
  .requiredOption(...FILE)
  .addHelpText('after', RELOAD + example('remove ci --file tokens'))
  .exitOverride()
  .action((name: string, { file }: File) => {
    removeToken(file, name);
    process.stdout.write(`removed ${name}\n`);
  });

export const token = new Command('token')
  .description("create, list and revoke the tokens of a server's token file")
  .addCommand(add)
  .addCommand(list)
  .addCommand(remove)
  .addHelpText('after', example('add ci --role drive --file tokens'));
