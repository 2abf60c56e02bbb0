import { type App, type Routes, replies } from './app.js';

const tags = ['health'];

export const healthRoutes: Routes = (app: App, service) => {
  app.get(
    '/healthz',
    { schema: { tags, summary: 'Whether the process answers', response: replies('It does') } },
    () => ({
      status: 'ok',
    }),
  );

  app.get(
    '/readyz',
    {
      schema: {
        tags,
        summary: 'Whether machines can be used: the main loop comes round',
        response: replies('They can'),
      },
    },
    async () => {
      await service.requireReady();
      return { status: 'ready' };
    },
  );
};
