import { SouthbridgeError } from '../src/errors.js';
import type { Access } from '../src/protocol/client-message.js';
import { AccessSchema, Address, CLOSED, Size, Value } from '../src/protocol/json/schemas.js';
import { formatValue } from '../src/protocol/values.js';
import { Type } from '../src/schema/type.js';
import type { MachineHandle } from '../src/server/service/machine-handle.js';
import { accessOf } from '../src/server/streams/access.js';
import { type App, DONE, MachineParams, type Routes, replies } from './app.js';

const tags = ['mmio'];
const params = Type.Object({ ...MachineParams.properties, address: Address });
const querystring = Type.Object({ size: Type.Optional({ ...Size, default: 4 }) }, CLOSED);
const DEFAULT_SIZE = 4;
/** Whose accesses those of HTTP are: they are carried out in order with those of this vCPU's thread. */
const VCPU = 0;

/** Accesses by people and scripts; a vCPU has a socket. */
export const mmioRoutes: Routes = (app: App, { machines, configuration }) => {
  app.get(
    '/v1/machines/:machine/mmio/:address',
    {
      config: { access: 'drive' },
      schema: { tags, summary: 'Reads a register', params, querystring, response: replies('The value') },
    },
    async ({ params: { machine: name, address }, query: { size = DEFAULT_SIZE } }) => {
      const machine = machines.get(name);
      const value = await run(machine, accessOf({ type: 'read', address, size }));
      return { address, size, ...value };
    },
  );

  app.put(
    '/v1/machines/:machine/mmio/:address',
    {
      config: { access: 'drive' },
      schema: {
        tags,
        summary: 'Writes a register',
        params,
        querystring,
        body: Type.Object({ value: Value }, CLOSED),
        response: DONE,
      },
    },
    async ({ params: { machine: name, address }, query: { size = DEFAULT_SIZE }, body: { value } }, reply) => {
      await run(machines.get(name), accessOf({ type: 'write', address, size, value }));
      return reply.code(204).send();
    },
  );

  app.post(
    '/v1/machines/:machine/mmio',
    {
      config: { access: 'drive' },
      schema: {
        tags,
        summary: 'Carries out several accesses, in order; none if one of them is refused',
        params: MachineParams,
        body: Type.Object({ accesses: Type.Array(AccessSchema) }, CLOSED),
        response: replies('One result per access, with the value of a read'),
      },
    },
    async ({ params: { machine: name }, body: { accesses } }) => {
      const machine = machines.get(name);
      const limit = configuration.limits.batchAccesses;
      if (accesses.length > limit) throw new SouthbridgeError('batch-too-large', { count: accesses.length, limit });
      const checked = accesses.map(accessOf);
      return { results: await Promise.all(checked.map((access) => run(machine, access))) };
    },
  );
};

async function run(machine: MachineHandle, access: Access): Promise<{ value?: string }> {
  const { low, high } = await machine.ask((done) => machine.access(VCPU, access, done));
  return access.write ? {} : { value: formatValue(low, high, access.size) };
}
