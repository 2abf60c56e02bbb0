import { LOG_LEVELS } from '../src/config/schema.js';
import { CLOSED } from '../src/protocol/json/schemas.js';
import { Type } from '../src/schema/type.js';
import { requireGoodFor } from '../src/server/security/token-file.js';
import { type App, type Routes, replies } from './app.js';

const tags = ['log'];

export const logRoutes: Routes = (app: App) => {
  app.get(
    '/v1/log',
    { config: { access: 'observe' }, schema: { tags, summary: 'What is logged', response: replies('The log level') } },
    () => ({
      level: app.log.level,
    }),
  );

  app.put(
    '/v1/log',
    {
      config: { access: 'admin' },
      schema: {
        tags,
        summary: 'Changes what is logged, until the server ends',
        body: Type.Object({ level: Type.Enum([...LOG_LEVELS]) }, CLOSED),
        response: replies('The log level'),
      },
    },
    ({ token, body: { level } }) => {
      requireGoodFor(token);
      app.log.level = level;
      return { level };
    },
  );
};
