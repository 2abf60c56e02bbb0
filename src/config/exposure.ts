import { SouthbridgeError } from '../errors.js';
import type { Configuration } from './schema.js';

/** Whether only programs on this computer reach an address. */
export function isLoopback(host: string): boolean {
  const address = host.toLowerCase().replace(/^::ffff:/, '');
  return address === 'localhost' || address === '::1' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(address);
}

/** Refuses to be reached from elsewhere without tokens, unless that is said to be meant. */
export function exposure({ host, tokenFile, insecure }: Configuration): SouthbridgeError[] {
  if (isLoopback(host) || tokenFile !== '' || insecure) return [];
  return [new SouthbridgeError('config-exposed', { host })];
}
