import { Command } from 'commander';
import { loadConfiguration } from '../config/sources.js';
import { loadConfiguredDesign } from './configuration-options.js';

const EXAMPLE = '\n\nExample:\n  npx southbridge config check southbridge.yaml';

const check = new Command('check')
  .description('check whether a server would start with this file, and print the reason if not')
  .argument('<file>', 'configuration file, JSON or YAML')
  .addHelpText('after', `\nExit status: 0 the file is right, 1 it is not.${EXAMPLE}`)
  .exitOverride()
  .action(checkFile);

export const config = new Command('config')
  .description('work with configuration files')
  .addCommand(check)
  .addHelpText('after', EXAMPLE.slice(1));

async function checkFile(file: string): Promise<void> {
  await loadConfiguredDesign({ file });
  const { configuration } = loadConfiguration({ file });
  const names = configuration.machines.map((machine) => machine.name).join(', ');
  process.stdout.write(`${file}: ok; machines: ${names || 'none'}\n`);
}
