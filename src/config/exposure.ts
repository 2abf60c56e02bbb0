import { BlockList, isIPv6 } from 'node:net';
import { SouthbridgeError } from '../errors.js';
import { addressesOf } from './listen.js';
import type { Configuration } from './schema.js';

/** Whether only programs on this computer reach an address. */
export function isLoopback(host: string): boolean {
  const address = host.toLowerCase().replace(/^::ffff:/, '');
  return address === 'localhost' || address === '::1' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(address);
}

/** Throws what `node:net` throws for what is no address, and no network such as `10.0.0.0/8`. */
export function blockListOf(networks: readonly string[]): BlockList {
  const list = new BlockList();
  for (const network of networks) {
    const [address, bits] = network.split('/');
    const family = isIPv6(address) ? 'ipv6' : 'ipv4';
    list.addSubnet(address, bits === undefined ? (family === 'ipv6' ? 128 : 32) : Number(bits), family);
  }
  return list;
}

/** Refuses what is neither an address nor a network. */
export function unknownProxies({ trustProxy }: Configuration): SouthbridgeError[] {
  return trustProxy.flatMap((value) => {
    try {
      blockListOf([value]);
      return [];
    } catch {
      const expected = 'an address, or a network such as 10.0.0.0/8';
      return [
        new SouthbridgeError('config-not-allowed', { key: 'trustProxy', source: 'configuration', value, expected }),
      ];
    }
  });
}

/** Refuses to be reached from elsewhere without tokens, unless that is said to be meant. */
export function exposure({ host, listen, tokenFile, insecure }: Configuration): SouthbridgeError[] {
  if (!addressesOf({ listen }).tcp || isLoopback(host) || tokenFile !== '' || insecure) return [];
  return [new SouthbridgeError('config-exposed', { host })];
}
