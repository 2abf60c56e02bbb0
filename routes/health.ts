import { type App, type Routes, replies } from './app.js';

const tags = ['health'];

export const healthRoutes: Routes = (app: App, service) => {
  app.get(
    '/healthz',
    {
      config: { access: 'public' },
      schema: { tags, summary: 'Whether the process answers', response: replies('It does') },
    },
    () => ({
      status: 'ok',
      // So that `southbridge doctor` knows what listens there.
      server: 'southbridge',
    }),
  );

  app.get(
    '/readyz',
    {
      config: { access: 'public' },
      schema: {
        tags,
        summary: 'Whether machines can be used: the main loop comes round',
        description:
          'With `stateDir` also why checkpoints fail, if they do, and how many could not be read and were set aside, if any were: machines can be used all the same.',
        response: replies('They can'),
      },
    },
    async () => {
      await service.requireReady();
      const { keeper } = service;
      if (!keeper) return { status: 'ready' };
      const { failure = null, setAside } = keeper.figures;
      // Everybody may read this: the names are in the log, and in the list of machines.
      return { status: 'ready', state: { failure, ...(setAside.length > 0 && { setAside: setAside.length }) } };
    },
  );
};
