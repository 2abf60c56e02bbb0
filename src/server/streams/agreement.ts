import type { Agreement } from '../../protocol/server-message.js';

export const PROTOCOL_VERSION = 1;

/** What a connection can use, if the machine's clock allows it. Only `credit` changes what the server sends. */
export function capabilitiesOf(clock: string): readonly string[] {
  return ['batch', 'credit', 'ports', 'posted', ...(clock === 'manual' ? ['step'] : []), 'subscribe'];
}

/** What of a client's wishes this server can meet: never more than was asked for. */
export function narrow(version: number, wishes: readonly string[], capabilities: readonly string[]): Agreement {
  return {
    version: Math.min(version, PROTOCOL_VERSION),
    capabilities: capabilities.filter((name) => wishes.includes(name)),
  };
}
