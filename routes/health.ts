import { type App, type Routes, readable, replies } from './app.js';

const tags = ['health'];

export const healthRoutes: Routes = (app: App, service) => {
  app.route({
    ...readable('/healthz'),
    config: { access: 'public' },
    schema: {
      tags,
      summary: 'Whether the process answers, and its threads make progress',
      description: 'Answers 503 `stalled` while a thread makes no progress for 5 seconds or more although it has work.',
      response: replies('They do'),
    },
    handler: () => {
      service.requireProgress();
      // The name tells `southbridge doctor` what listens here.
      return { status: 'ok', server: 'southbridge' };
    },
  });

  app.route({
    ...readable('/readyz'),
    config: { access: 'public' },
    schema: {
      tags,
      summary: 'Whether machines can be used: the main loop makes progress',
      description:
        'With `stateDir` also for how many machines checkpoints fail and why, and how many checkpoints could not be read and were set aside: machines can be used all the same.',
      response: replies('They can'),
    },
    handler: async () => {
      await service.requireReady();
      const { keeper } = service;
      if (!keeper) return { status: 'ready' };
      const { failure = null, failing, setAside } = keeper.figures;
      // Anyone may read this: the names are in the log, and in the list of machines.
      const aside = setAside.length > 0 && { setAside: setAside.length };
      return { status: 'ready', state: { failure, failing, ...aside } };
    },
  });
};
