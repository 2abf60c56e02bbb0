/** The package brings no types; this is what is used of it. */
declare module 'fs-native-extensions' {
  /** Takes a lock on the whole file, which is open for writing; false if another descriptor holds it. */
  export function tryLock(fd: number): boolean;
}
