/**
 * The promise client, for Node and browsers: `import { Southbridge } from 'southbridge/client'`. It needs nothing but a
 * WebSocket and `fetch`. docs/clients.md has a guide.
 */

export type { DestinationFormat, IrqKind } from '../protocol/names.js';
export type { ApicFields, Gap, Interrupt, Intr, Irq, LineLevels, ServerHello } from '../protocol/server-message.js';
export type { BatchAccess } from './access.js';
export { IrqStream, type IrqStreamOptions } from './irq-stream.js';
export type { Reconnection } from './reconnection.js';
export { RequestError } from './request-error.js';
export { type MachineDescription, type ServerOptions, Southbridge } from './server.js';
export { Vcpu, type VcpuEvent, type VcpuOptions } from './vcpu.js';
