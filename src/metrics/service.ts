import { Counter, Gauge, type Registry } from 'prom-client';
import { CONNECTION_KINDS, type Service } from '../service/service.js';

export function registerServiceMetrics(register: Registry, service: Service): void {
  const registers = [register];
  new Gauge({
    name: 'southbridge_machines',
    help: 'Machines that exist.',
    registers,
    collect() {
      this.set(service.machines.size);
    },
  });
  new Gauge({
    name: 'southbridge_connections',
    help: 'Open WebSockets.',
    labelNames: ['kind'],
    registers,
    collect() {
      for (const kind of CONNECTION_KINDS) this.set({ kind }, service.connections[kind]);
    },
  });
  new Counter({
    name: 'southbridge_missed_wakeups_total',
    help: 'Wake-ups of the gateway that only a watchdog noticed. Must stay 0.',
    registers,
    collect() {
      this.reset();
      this.inc(service.engine.missedWakeups);
    },
  });
  new Counter({
    name: 'southbridge_dropped_interrupts_total',
    help: 'Interrupts that were not kept for a vCPU that was away or read too slowly, and that it was told of as a gap.',
    registers,
    collect() {
      this.reset();
      this.inc(service.machines.droppedInterrupts);
    },
  });
}
