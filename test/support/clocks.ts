import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const SECONDS_PER_DAY = 86_400;

/** The command that runs another on a host that started so many days earlier; nothing for 0. */
export function onHostOlderBy(days: number): readonly string[] {
  if (days === 0) return [];
  const seconds = String(days * SECONDS_PER_DAY);
  return ['unshare', '--time', '--monotonic', seconds, '--boottime', seconds];
}

/** Why there can be no such host here, or false: a time namespace takes root, a kernel that has them, and util-linux. */
export function noTimeNamespace(): string | false {
  const [command, ...args] = onHostOlderBy(1);
  const { status, error, stderr } = spawnSync(command, [...args, 'true'], { encoding: 'utf8' });
  if (status === 0) return false;
  return `there is no time namespace here (unshare --time): ${error?.message ?? stderr.trim()}`;
}

/** Debian's libfaketime; undefined if it is not installed. */
const FAKETIME = readdirSync('/usr/lib')
  .map((folder) => join('/usr/lib', folder, 'faketime/libfaketimeMT.so.1'))
  .find((file) => existsSync(file));

/** Why the wall clock of a program cannot be changed here, or false. */
export const noFaketime: string | false =
  FAKETIME === undefined && 'faketime is not installed: apt-get install faketime';

/** The environment of a program whose wall clock is as far from the host's as `setAhead` last wrote to the file. */
export function wallClockOf(file: string): { [name: string]: string } {
  return {
    LD_PRELOAD: FAKETIME ?? '',
    FAKETIME_TIMESTAMP_FILE: file,
    FAKETIME_NO_CACHE: '1',
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
  };
}

/** Moves the wall clock of programs with that file. */
export function setAhead(file: string, days: number): void {
  writeFileSync(file, `${days < 0 ? '' : '+'}${days}d\n`);
}
