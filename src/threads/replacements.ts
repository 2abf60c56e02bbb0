import { WaitGraph } from '../sync/wait-graph.js';
import type { Gateway } from './gateway.js';
import type { Pool } from './pool.js';
import { SPARE_RINGS, submissionRingAt } from './shared-map.js';
import { GONE, NOTHING, SubmissionRing } from './submission-ring.js';

/** Threads in the place of those that hang in a machine, for all other machines; what hangs ends with its machine. */
export class Replacements {
  readonly #spareRings: number[];

  constructor(
    readonly gateway: Gateway,
    readonly pool: Pool,
    /** The slots that have machines. */
    readonly slots: () => Iterable<number>,
  ) {
    const { vcpuThreads } = gateway.map;
    this.#spareRings = Array.from({ length: SPARE_RINGS }, (_, spare) => vcpuThreads + spare);
  }

  /** Starts a thread in place of one that hangs: the ring of that one, if it had any; undefined if that cannot be. */
  replace(stuck: number): { ring?: number } | undefined {
    const index = this.gateway.vcpus.findIndex((vcpu) => vcpu.thread === stuck);
    return index >= 0 ? this.#replaceVcpu(index) : this.#replaceMainLoop();
  }

  #replaceMainLoop(): object | undefined {
    if (this.pool.startReplacement({ kind: 'main-loop' }) === undefined) return undefined;
    const { host } = this.gateway;
    // It knows of no deadline yet.
    for (const slot of this.slots()) host.kickMainLoop(slot);
    host.mainLoopBell.ring();
    return {};
  }

  #replaceVcpu(index: number): { ring: number } | undefined {
    const { gateway } = this;
    const { map } = gateway;
    const ring = this.#spareRings.at(-1);
    if (ring === undefined) return undefined;
    new SubmissionRing(gateway.thread.shared, submissionRingAt(map, ring), map.submissions).reset();
    const thread = this.pool.startReplacement({ kind: 'vcpu', index, ring });
    if (thread === undefined) return undefined;
    this.#spareRings.pop();
    const old = gateway.vcpus[index];
    const unanswered = old.abandon();
    gateway.vcpus[index] = gateway.dispatch(thread, ring);
    gateway.retired.push(old);
    for (const request of unanswered) gateway.submit(index, request);
    // It may have taken notice of callbacks that it did not come to.
    for (const slot of this.slots()) if (slot % map.vcpuThreads === index) gateway.host.kickVcpu(slot);
    return { ring: old.ringIndex };
  }

  /** Ends the threads that hang in a machine, and answers what they left. Nobody else is in there any more. */
  async removeHung(slot: number): Promise<void> {
    const { gateway, pool } = this;
    const hung = gateway.hung.take(slot);
    if (!hung) return;
    await Promise.all([...hung.threads].map((thread) => pool.end(thread)));
    for (const thread of hung.threads) new WaitGraph(gateway.thread.shared, thread).withdraw();
    // Whoever had entered before it was frozen has left when its thread answers.
    const answers = gateway.vcpus.map((_, index) => this.#answerOf(index, slot));
    await Promise.all([new Promise<void>((done) => gateway.round(done)), ...answers]);
    gateway.retired = gateway.retired.filter(({ ringIndex }) => !hung.rings.includes(ringIndex));
    this.#spareRings.push(...hung.rings);
    for (const request of hung.held) request.answer(GONE, 0, 0);
  }

  #answerOf(index: number, slot: number): Promise<void> {
    const { gateway } = this;
    return new Promise((done) =>
      gateway.submit(
        index,
        gateway.request(slot, NOTHING, 0, 0, 0, 0, () => done()),
      ),
    );
  }
}
