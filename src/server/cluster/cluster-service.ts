import { SouthbridgeError } from '../../errors.js';
import type { ClusterEvent, ClusterPort, EventPosition, NodeDescription } from '../service/cluster-port.js';
import type { MachineHandle } from '../service/machine-handle.js';
import type { Checkpoints } from '../state/checkpoints.js';
import type { EventPublishers } from './events/event-publishers.js';
import { readEvents } from './events/event-reader.js';
import type { ClusterNode } from './node.js';
import { Placement } from './placement.js';
import { type LeaseRecord, machineKey } from './records.js';

/** What routes and commands may ask of the cluster. */
export class ClusterService implements ClusterPort {
  constructor(
    readonly parts: ClusterNode,
    readonly checkpoints: Checkpoints,
    readonly publishers: EventPublishers,
  ) {}

  get node(): string {
    return this.parts.parts.node;
  }

  get nodes(): readonly NodeDescription[] {
    return [...this.parts.members]
      .map(({ node, address, room, draining }) => ({ node, address, room: room.machines, draining }))
      .sort((a, b) => (a.node < b.node ? -1 : 1));
  }

  async migrate(machine: MachineHandle, node: string): Promise<void> {
    const target = [...this.parts.members].find((lease) => lease.node === node);
    if (!target || node === this.node) throw new SouthbridgeError('unknown-node', { node, own: this.node });
    await this.#move(machine, target);
  }

  async #move(machine: MachineHandle, target: LeaseRecord): Promise<void> {
    await this.checkpoints.moveAway(machine, async () => {
      const owned = this.parts.get(machine.name);
      if (!owned) throw new SouthbridgeError('machine-moved', { machine: machine.name });
      await this.publishers.flush(machine.name);
      if (!(await this.parts.release(owned, target)))
        throw new SouthbridgeError('migration-refused', { machine: machine.name, node: target.node });
    });
  }

  async requireMachine(machine: string): Promise<void> {
    const record = await this.parts.parts.records.get(machineKey(machine)).catch((error) => {
      throw new SouthbridgeError('cluster-not-answering', { reason: String((error as Error).message) });
    });
    if (!record) throw new SouthbridgeError('unknown-machine', { machine });
  }

  events(machine: string, after: EventPosition | undefined, signal: AbortSignal): AsyncIterable<ClusterEvent> {
    return readEvents(this.publishers.log, machine, after, signal);
  }

  async drain(): Promise<number> {
    this.parts.drain();
    const others = [...this.parts.members].filter(({ node }) => node !== this.node);
    const placement = new Placement(others);
    for (const machine of [...this.checkpoints.machines]) {
      const target = placement.next();
      if (target && machine.isOpen)
        await this.#move(machine, target).catch((error) =>
          this.parts.parts.host.warn(`machine ${machine.name} stays`, error),
        );
    }
    return [...this.checkpoints.machines].length;
  }
}
