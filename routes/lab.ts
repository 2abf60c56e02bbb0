import { CLOSED } from '../src/protocol/json/schemas.js';
import { Type } from '../src/schema/type.js';
import { readDesigns } from '../src/server/documents/explored-designs.js';
import { type App, type Routes, replies } from './app.js';

const tags = ['lab'];

const Task = Type.Object(
  {
    design: Type.String({ description: 'A preset, or mmio/timer/irq/control.' }),
    scenario: Type.String({ description: 'A registered scenario, or a generated program by name.', maxLength: 200 }),
  },
  CLOSED,
);

/** Designs and their verdicts, and explorations of them: docs/page.md. */
export const labRoutes: Routes = (app: App, { examinations }) => {
  app.get(
    '/v1/lab/designs',
    {
      config: { access: 'observe' },
      schema: {
        tags,
        summary: 'All presets and combinations of the axes, with the stored verdict of exploration and its scope',
        response: replies('The designs, and the command that explored them'),
      },
    },
    () => readDesigns(),
  );

  app.get(
    '/v1/lab/scenarios',
    {
      config: { access: 'observe' },
      schema: { tags, summary: 'The scenarios that the server can explore', response: replies('The scenarios') },
    },
    async () => ({ scenarios: await examinations.scenarios() }),
  );

  app.post(
    '/v1/lab/explorations',
    {
      config: { access: 'drive' },
      schema: {
        tags,
        summary: 'Explores a design in a scenario, and answers with the result',
        description:
          'One at a time, in a process of lowest priority, for at most 60 s; it ends when the client closes the connection. The findings have counterexamples step by step.',
        body: Task,
        response: replies('The verdict, its scope, and the findings'),
      },
    },
    async ({ body }, reply) => {
      const left = new AbortController();
      const onClose = () => left.abort();
      reply.raw.once('close', onClose);
      try {
        return await examinations.run(body, left.signal);
      } finally {
        reply.raw.off('close', onClose);
      }
    },
  );
};
