import { type App, type Routes, readable, replies } from './app.js';

const tags = ['health'];

export const healthRoutes: Routes = (app: App, service) => {
  app.route({
    ...readable('/healthz'),
    config: { access: 'public' },
    schema: { tags, summary: 'Whether the process answers', response: replies('It does') },
    handler: () => ({
      status: 'ok',
      // So that `southbridge doctor` knows what listens there.
      server: 'southbridge',
    }),
  });

  app.route({
    ...readable('/readyz'),
    config: { access: 'public' },
    schema: {
      tags,
      summary: 'Whether machines can be used: the main loop makes progress',
      description: 'With `stateDir` also why checkpoints fail, if they do: machines can be used all the same.',
      response: replies('They can'),
    },
    handler: async () => {
      await service.requireReady();
      const { keeper } = service;
      return keeper ? { status: 'ready', state: { failure: keeper.figures.failure ?? null } } : { status: 'ready' };
    },
  });
};
