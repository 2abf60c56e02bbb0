// @ts-check
/** The functions of QEMU that are in the place of our call sites. @type {{ [site: string]: string }} */
export const QEMU_NAMES = {
  'mmio-read': 'hpet_ram_read',
  'mmio-write': 'hpet_ram_write',
  'timer-callback': 'timerlist_run_timers → hpet_timer',
  'irq-update': 'update_irq → qemu_set_irq',
  'deferred-flush': 'qemu_set_irq',
  'main-loop': 'main_loop_wait',
  control: 'qemu_system_reset',
};

const HPET = 0xfed0_0000;
const CONFIGURATION = 0x10;
const TIMERS = 0x100;

/**
 * The registered scenario whose threads run the same paths as those of a deadlock.
 * @param {readonly { path: string[], access: { address: string } | null }[]} threads
 */
export function scenarioOf(threads) {
  if (threads.some(({ path }) => path.includes('control'))) return 'reset-callback';
  const access = threads.find((each) => each.access)?.access;
  const offset = access ? Number(access.address) - HPET : 0;
  if (offset >= TIMERS) return 'callback-comparator';
  return offset === CONFIGURATION ? 'callback-disable' : 'callback-acknowledge';
}
