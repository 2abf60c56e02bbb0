import { XenFilter } from '../../../core/devices/gsi/xen-filter.js';
import { COUNTER } from '../../../core/devices/hpet/state.js';
import { type Design, takesBqlUnderMutex } from '../../../core/locking/axes.js';
import { BQL, DEVICE, LOCK_NAMES } from '../../../core/sync/lock-names.js';
import { WRITING } from '../../../core/sync/sequence-lock.js';
import { FIRST_VCPU_THREAD, GATEWAY_THREAD, submissionRingAt } from '../../../runtime/memory/shared-map.js';
import { READ, SubmissionRing } from '../../../runtime/rings/submission-ring.js';
import type { Fixture } from '../fixture.js';
import * as H from '../history.js';
import type { MakeOracle, Oracle } from '../oracle.js';
import { CLIENT_NAME } from '../program-threads.js';
import { HPET } from '../requests.js';
import { StateView } from '../state-view.js';
import type { System } from '../system.js';

/** At rest, every thread has ended or waits for work: `System.stuck` names those that do neither. */
function deadlock({ names }: Fixture): Oracle {
  return {
    name: 'deadlock',
    atRest(system, report) {
      const stuck = system.stuck();
      if (stuck.length === 0) return;
      const parts = stuck.map((thread) => {
        const node = system.nodes[thread];
        const held = names.locksHeldBy(system.state, system.threads[thread].id);
        const holding = held.length ? `, holding ${held.join(' and ')},` : '';
        const waits = node.kind === H.AWAIT_CHANGE ? 'spins on' : 'waits for';
        return `${system.threads[thread].name}${holding} ${waits} ${names.word(node.address)}`;
      });
      // A client waits for a reply: what holds that up is a production thread.
      const spins = stuck.some(
        (thread) => system.threads[thread].name !== CLIENT_NAME && system.nodes[thread].kind === H.AWAIT_CHANGE,
      );
      report({ kind: spins ? 'livelock' : 'deadlock', summary: parts.join('; ') });
    },
  };
}

/**
 * Locks are taken in the declared order: BQL and mutex as the design defines, then the leaf locks, each once and in
 * order. None is taken inside the write section of the main counter, because a reader that spins on it may hold the
 * lock.
 */
function lockOrder({ names }: Fixture, design: Design): Oracle {
  const declared = takesBqlUnderMutex(design) ? [DEVICE, BQL] : [BQL, DEVICE];
  const rank = (lock: number) => (lock <= DEVICE ? declared.indexOf(lock) : lock);
  return {
    name: 'lock order',
    beforeAction({ state, threads }, thread, node, report) {
      if (!H.isAcquisition(node)) return;
      const lock = names.lockAt(node.address);
      if (lock < 0) return;
      const { id, name } = threads[thread];
      for (let held = 0; held < LOCK_NAMES.length; held++) {
        if (names.ownerOf(state, held) !== id || rank(held) < rank(lock)) continue;
        const summary = `${name} takes ${LOCK_NAMES[lock]} under ${LOCK_NAMES[held]}, against the order`;
        report({ kind: 'lock-order', summary });
      }
      if (state.get(names.machine + COUNTER) & WRITING && opened(node, names.machine + COUNTER)) {
        const summary = `${name} takes ${LOCK_NAMES[lock]} inside the main counter's write section`;
        report({ kind: 'lock-order', summary });
      }
    },
  };
}

/** Whether this thread opened the write section in its current step. */
function opened(node: H.HistoryNode, counter: number): boolean {
  for (let at = node.parent; at; at = at.parent) {
    if (at.kind === H.STORE && at.address === counter) return (at.a & WRITING) !== 0;
  }
  return false;
}

/** A thread releases only locks that it holds. The main loop must hold the BQL again after each callback. */
function unheldRelease({ names }: Fixture): Oracle {
  return {
    name: 'unheld release',
    beforeAction({ state, threads }, thread, node, report) {
      if (node.kind !== H.EXCHANGE || node.a !== 0) return;
      const lock = names.lockAt(node.address);
      const { id, name } = threads[thread];
      if (lock < 0 || names.ownerOf(state, lock) === id) return;
      report({ kind: 'assertion', summary: `${name} releases ${LOCK_NAMES[lock]}, which it does not hold` });
    },
  };
}

/** A thread holds no lock when its step ends. */
function locksReleased({ names }: Fixture): Oracle {
  return {
    name: 'locks released',
    atStepEnd(system, thread, report) {
      const held = names.locksHeldBy(system.state, system.threads[thread].id);
      if (held.length === 0) return;
      report({ kind: 'assertion', summary: `${system.threads[thread].name} ends its step holding ${held.join(', ')}` });
    },
  };
}

/** No path was aborted because a lock that it asserts was not held. */
function lockAssertion({ names }: Fixture): Oracle {
  return {
    name: 'lock assertion',
    atRest(system, report) {
      const ports = { assertBql() {}, driveInput() {} };
      const memory = new StateView(system.state, 0);
      memory.select(names.machine);
      const failures = new XenFilter(memory, ports).failures();
      if (!failures) return;
      const thread = system.threads.find(({ id }) => id === failures.thread);
      const name = thread?.name ?? 'a thread';
      report({ kind: 'assertion', summary: `${name} entered the Xen filter without the BQL` });
    },
  };
}

/** The gateway waits only on its own doorbell. */
function gatewayWaits({ names }: Fixture): Oracle {
  return {
    name: 'gateway waits',
    afterTransition(system, thread, report) {
      const { id, idleAt } = system.threads[thread];
      if (id !== GATEWAY_THREAD) return;
      const node = system.nodes[thread];
      const waits = node.kind === H.WAIT && node.address !== idleAt;
      if (!waits && !system.blocking?.isAcquisition(node)) return;
      report({ kind: 'assertion', summary: `the gateway waits for ${names.word(node.address)}` });
    },
  };
}

/**
 * Under lockless MMIO, a read of the main counter takes no lock. If the interrupt controllers are lockless too, no vCPU
 * takes the BQL.
 */
function locklessPaths({ names, map, scenario }: Fixture, { mmio, irq }: Design): Oracle {
  return {
    name: 'lockless paths',
    beforeAction(system, thread, node, report) {
      if (mmio.underBql || !H.isAcquisition(node)) return;
      const lock = names.lockAt(node.address);
      const { id, name } = system.threads[thread];
      const vcpu = id - FIRST_VCPU_THREAD;
      if (lock < 0 || vcpu < 0 || vcpu >= scenario.vcpus.length || scenario.lockers) return;
      if (irq.lockless && lock === BQL) report({ kind: 'assertion', summary: `${name} takes the BQL` });
      if (isCounterRead(system, vcpu)) {
        report({ kind: 'assertion', summary: `${name} takes ${LOCK_NAMES[lock]} to read the main counter` });
      }
    },
  };

  function isCounterRead({ state }: System, vcpu: number): boolean {
    const ring = new SubmissionRing(new StateView(state, 0), submissionRingAt(map, vcpu), map.submissions);
    const request = scenario.vcpus[vcpu][ring.completed()];
    return request?.operation === READ && request.address === HPET.COUNTER;
  }
}

/** Rules of locks and waiting. */
export const LOCK_ORACLES: readonly MakeOracle[] = [
  deadlock,
  lockOrder,
  unheldRelease,
  locksReleased,
  lockAssertion,
  gatewayWaits,
  locklessPaths,
];
