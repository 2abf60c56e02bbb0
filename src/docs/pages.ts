import { configurationPage } from './configuration.js';
import { errorsPage } from './errors.js';
import { memoryMapPage } from './memory-map.js';
import { metricsPage } from './metrics.js';
import { scenariosPage } from './scenarios.js';

/** The files of `docs/` that are generated, and what makes their text. */
export const PAGES: { readonly [file: string]: () => string } = {
  'configuration.md': configurationPage,
  'errors.md': errorsPage,
  'memory-map.md': memoryMapPage,
  'metrics.md': metricsPage,
  'scenarios.md': scenariosPage,
};
