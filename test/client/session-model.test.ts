import { join } from 'node:path';
import t from 'tap';
import { seed } from '../support/random.js';
import { blockingClient, promiseClient } from '../support/session-clients.js';
import { SessionModel } from '../support/session-model.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { tier } from '../support/tier.js';

const CLIENTS = { promise: promiseClient, blocking: blockingClient };
const FIRST = seed();

for (const [name, connect] of Object.entries(CLIENTS)) {
  t.test(`${name} client: each request is applied once, each event arrives once; seed ${FIRST}`, async (t) => {
    const { sessionOperations } = tier;
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
        while (model.operations < share * sessionOperations) await model.round();
        t.pass(`${model.operations} operations in ${model.rounds} rounds: ${JSON.stringify(model.counts)}`);
      } finally {
        await model.stop();
      }
    }
  });
}
