import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { compile } from '../support/c-compiler.js';
import { seed } from '../support/random.js';
import { blockingClient, type ClientUnderTest, programClient, promiseClient } from '../support/session-clients.js';
import { SessionModel } from '../support/session-model.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { tier } from '../support/tier.js';

type Connect = (url: string) => Promise<ClientUnderTest>;

const FIRST = seed();
const PYTHON = fileURLToPath(new URL('../../../test/client/drivers/driver.py', import.meta.url));
const runs = (command: string) => spawnSync(command, ['--version']).status === 0;

async function check(t: Test, connect: Connect, operations: number): Promise<void> {
  // With stateDir, without, and with room for few events.
  for (const [index, share] of [0.5, 0.25, 0.25].entries()) {
    const stateDir = index === 0 ? join(temporaryFolder(t), 'state') : undefined;
    const model = await SessionModel.start({
      seed: FIRST + index,
      connect,
      ...(stateDir !== undefined && { stateDir }),
      ...(index === 2 && { pendingInterrupts: 8 }),
    });
    try {
      while (model.operations < share * operations) await model.round();
      t.pass(`${model.operations} operations in ${model.rounds} rounds: ${JSON.stringify(model.counts)}`);
    } finally {
      await model.stop();
    }
  }
}

const title = (name: string) => `${name}: each request is applied once, each event arrives once; seed ${FIRST}`;

t.test(title('promise client'), (t) => check(t, promiseClient, tier.sessionOperations));

t.test(title('blocking client'), (t) => check(t, blockingClient, tier.sessionOperations));

t.test(title('client for C'), { skip: !runs('cc') && 'there is no C compiler here' }, (t) => {
  const program = compile(join(temporaryFolder(t), 'driver'), 'test/client/drivers/driver.c');
  return check(t, (url) => programClient([program], url), tier.programOperations);
});

t.test(title('client for Python'), { skip: !runs('python3') && 'there is no python3 here' }, (t) =>
  check(t, (url) => programClient(['python3', PYTHON], url), tier.programOperations),
);
