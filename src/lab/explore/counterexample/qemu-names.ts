import type { LOCK_NAMES } from '../../../core/sync/lock-names.js';

/**
 * The functions of QEMU (`hw/timer/hpet.c`, `hw/intc/`, `util/qemu-timer.c`, `util/main-loop.c`, `util/defer-call.c`) that
 * do what functions here do, by source file. A function without an entry has no counterpart, or only passes a call on.
 */
export const QEMU_FUNCTIONS: { readonly [file: string]: { readonly [name: string]: string } } = {
  'src/runtime/threads/main-loop.ts': { iterate: 'main_loop_wait', visit: 'main_loop_wait' },
  'src/runtime/threads/slot-loop.ts': { runKicked: 'main_loop_wait', runDue: 'main_loop_wait' },
  'src/core/machine/due-work.ts': { run: 'main_loop_wait', '#runDue': 'qemu_clock_run_all_timers' },
  'src/core/machine/timer-path.ts': {
    run: 'timerlist_run_timers',
    '#regainBql': 'timerlist_run_timers',
    '#callBack': 'hpet_timer',
    '#expire': 'hpet_timer',
    '#serviceDelayed': 'delayed_ioapic_service_cb',
  },
  'src/core/machine/timer-list.ts': {
    takeDue: 'timerlist_run_timers',
    arm: 'timer_mod',
    armEarlier: 'timer_mod',
    cancel: 'timer_del',
  },
  'src/core/machine/mmio-path.ts': {
    '#readHpet': 'hpet_ram_read',
    '#writeHpet': 'hpet_ram_write',
    '#readIoapic': 'ioapic_mem_read',
    '#writeIoapic': 'ioapic_mem_write',
    setLine: 'qemu_set_irq',
    endOfInterrupt: 'ioapic_eoi_broadcast',
    acknowledgeInterrupt: 'pic_read_irq',
    portWrite: 'pic_ioport_write',
    portRead: 'pic_ioport_read',
    setXenCallback: 'xen_evtchn_set_callback_level',
  },
  'src/core/machine/control-path.ts': {
    '#setLegacyInput': 'hpet_handle_legacy_irq',
    '#reset': 'hpet_reset',
    '#save': 'hpet_pre_save',
    '#restore': 'hpet_post_load',
  },
  'src/core/devices/hpet/hpet.ts': { setLegacyInput: 'hpet_handle_legacy_irq' },
  'src/core/devices/hpet/comparators.ts': {
    schedule: 'hpet_set_timer',
    cancel: 'hpet_del_timer',
    expire: 'hpet_timer',
  },
  'src/core/devices/hpet/interrupt-output.ts': {
    raise: 'update_irq',
    deliver: 'update_irq',
    lower: 'update_irq',
    update: 'update_irq',
    release: 'update_irq',
  },
  'src/core/devices/hpet/main-counter.ts': { read: 'hpet_get_ticks' },
  'src/core/locking/deferred-list.ts': { addLevel: 'defer_call', addPulse: 'defer_call', addMsi: 'defer_call' },
  'src/core/locking/irq/big-locked.ts': { begin: 'defer_call_begin', flush: 'defer_call_end' },
  'src/core/machine/chipset.ts': { driveLine: 'qemu_set_irq', assignLine: 'qemu_set_irq' },
  'src/core/devices/gsi/router.ts': { drive: 'gsi_handler', assign: 'gsi_handler' },
  'src/core/devices/gsi/xen-filter.ts': { filter: 'xen_evtchn_set_gsi' },
  'src/core/devices/ioapic/ioapic.ts': { setInput: 'ioapic_set_irq', '#service': 'ioapic_service' },
  'src/core/machine/pic.ts': { setInput: 'pic_set_irq' },
};

/** The locks as QEMU names them. Without option 2, QEMU protects router, IOAPIC and 8259 pair by the BQL. */
export const QEMU_LOCKS: { readonly [lock in (typeof LOCK_NAMES)[number]]: string } = {
  bql: 'BQL',
  device: 's->lock',
  router: 'GSI lock (option 2)',
  ioapic: 'IOAPIC lock (option 2)',
  pic: 'PIC lock (option 2)',
  timers: 'active_timers_lock',
};

/** QEMU's name of a function here, by its source file and its name in a stack trace. */
export function qemuFunction(file: string, name: string): string | undefined {
  const functions = QEMU_FUNCTIONS[file];
  const plain = name.replace(/ \[as .*/, '').replace(/^.*[. ]/, '');
  return functions && Object.hasOwn(functions, plain) ? functions[plain] : undefined;
}

/** QEMU's name of a lock here. */
export function qemuLock(lock: string): string {
  return QEMU_LOCKS[lock as keyof typeof QEMU_LOCKS] ?? lock;
}
