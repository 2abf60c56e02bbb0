import { readdirSync, readlinkSync } from 'node:fs';
import { readText } from './check.js';

/** State of a socket that listens, in /proc/net/tcp. */
const LISTEN = '0A';

/** The program that listens on a TCP port, as `name (pid)`; undefined if that cannot be seen, as for other users. */
export function listenerOn(port: number): string | undefined {
  const inodes = new Set(['/proc/net/tcp', '/proc/net/tcp6'].flatMap((file) => inodesOf(readText(file) ?? '', port)));
  if (inodes.size === 0) return undefined;
  for (const pid of list('/proc').filter((name) => /^\d+$/.test(name))) {
    for (const descriptor of list(`/proc/${pid}/fd`)) {
      const [, inode] = /^socket:\[(\d+)\]$/.exec(linkOf(`/proc/${pid}/fd/${descriptor}`)) ?? [];
      if (inode !== undefined && inodes.has(inode)) return `${readText(`/proc/${pid}/comm`)?.trim()} (pid ${pid})`;
    }
  }
  return undefined;
}

/** Lines hold number, local address:port, remote address:port and state, in hexadecimal; the tenth word is the inode. */
function inodesOf(table: string, port: number): string[] {
  const wanted = port.toString(16).toUpperCase().padStart(4, '0');
  return table
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([, local, , state]) => state === LISTEN && local?.split(':')[1] === wanted)
    .map((words) => words[9]);
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}
