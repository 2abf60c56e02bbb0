import type { Access, ClientMessage } from '../../src/protocol/client-message.js';
import type { ServerMessage } from '../../src/protocol/server-message.js';

const COUNTER = 0xfed000f0;
const CONFIGURATION = 0xfed00010;

function read(address: number, size: number): Access {
  return { write: false, posted: false, address, size, low: 0, high: 0 };
}

function write(address: number, size: number, low: number, high = 0, posted = false): Access {
  return { write: true, posted, address, size, low, high };
}

/** Requests, by name. */
export const CLIENT_EXAMPLES: { readonly [name: string]: ClientMessage } = {
  hello: { type: 'hello', id: 0, version: 1, capabilities: ['batch', 'credit'] },
  'read-counter': { type: 'access', id: 1, access: read(COUNTER, 8) },
  'read-byte': { type: 'access', id: 0xffffffff, access: read(0xfec00010, 1) },
  'read-above-4-gib': { type: 'access', id: 2, access: read(0x12_3456_7890, 4) },
  write: { type: 'access', id: 3, access: write(CONFIGURATION, 4, 1) },
  'write-64-bits': { type: 'access', id: 4, access: write(COUNTER, 8, 0x89abcdef, 0x01234567) },
  'write-zero': { type: 'access', id: 5, access: write(COUNTER, 8, 0) },
  'write-posted': { type: 'access', id: 6, access: write(CONFIGURATION, 4, 1, 0, true) },
  'batch-empty': { type: 'batch', id: 7, accesses: [] },
  batch: {
    type: 'batch',
    id: 8,
    accesses: [
      read(COUNTER, 8),
      write(0xfec00000, 1, 0x10),
      write(0xfec00010, 4, 0x10030, 0, true),
      write(0xfed00108, 8, 0xffffffff, 0x80000000),
      read(0xfec00010, 2),
    ],
  },
  'port-in': { type: 'in', id: 9, port: 0x4d0 },
  'port-out': { type: 'out', id: 10, port: 0x20, value: 0x11 },
  'interrupt-acknowledge': { type: 'inta', id: 300 },
  'line-up': { type: 'line', id: 11, gsi: 23, level: 1 },
  'line-down': { type: 'line', id: 12, gsi: 0, level: 0 },
  'end-of-interrupt': { type: 'eoi', id: 13, vector: 0xff },
  'apic-flat': { type: 'apic', id: 14, logicalId: 1, format: 'flat' },
  'apic-cluster': { type: 'apic', id: 15, logicalId: 0x31, format: 'cluster' },
  'clock-step': { type: 'step', id: 16, ns: 1_000_000 },
  'clock-step-long': { type: 'step', id: 17, ns: Number.MAX_SAFE_INTEGER },
  sync: { type: 'sync', id: 70_000 },
  subscribe: { type: 'subscribe', id: 18, kinds: ['line', 'apic', 'msi', 'intr'] },
  'subscribe-nothing': { type: 'subscribe', id: 19, kinds: [] },
  'resume-first': { type: 'resume', session: '9Jb2vT', epoch: '', event: 0, reply: 0 },
  resume: { type: 'resume', session: '9Jb2vT', epoch: 'pX3qLw0aZk7d', event: 41, reply: 300 },
  ack: { type: 'ack', event: 41, reply: 300 },
  'ack-nothing': { type: 'ack', event: 0, reply: 0 },
  'clock-step-to-deadline': { type: 'step', id: 20, ns: 1_000_000_000, toDeadline: true },
  'clock-step-and-read': { type: 'step', id: 21, ns: 10, read: read(COUNTER, 8) },
  'input-pit': { type: 'input', id: 22, input: 'pit', level: 1 },
  'input-xen-low': { type: 'input', id: 23, input: 'xen', level: 0 },
  'read-and-ack': { type: 'access', id: 24, access: read(COUNTER, 8), ack: { event: 41, reply: 300 } },
  'sync-and-ack-nothing': { type: 'sync', id: 25, ack: { event: 0, reply: 0 } },
};

const EDGE = { vector: 0x30, deliveryMode: 0, level: false, logical: false, destination: 0 };
const LEVEL = { vector: 0xfe, deliveryMode: 1, level: true, logical: true, destination: 0xff };
const TIMES = { virtualTime: 1_000_000_100, wallTime: 1_795_400_000_000 };

/** What a server sends, by name. */
export const SERVER_EXAMPLES: { readonly [name: string]: ServerMessage } = {
  'hello-vcpu': {
    type: 'hello',
    version: 1,
    machine: 'default',
    vcpu: 0,
    clock: 'manual',
    resumeToken: 'k2hVq0hYh2mN4yqj5m8o3sQzqJ3b1x7T',
    sequence: 0,
    intr: 0,
    capabilities: ['batch', 'credit', 'ports', 'posted', 'step', 'subscribe'],
    credit: 1024,
  },
  'hello-stream': { type: 'hello', version: 1, machine: 'default', sequence: 41 },
  reply: { type: 'reply', id: 3 },
  'reply-id-0': { type: 'reply', id: 0 },
  'reply-value': { type: 'reply', id: 1, value: { low: 0x89abcdef, high: 0x01234567, size: 8 } },
  'reply-value-zero': { type: 'reply', id: 1, value: { low: 0, high: 0, size: 8 } },
  'reply-value-byte': { type: 'reply', id: 9, value: { low: 0xb8, high: 0, size: 1 } },
  'reply-vector': { type: 'reply', id: 300, vector: 8 },
  'reply-vector-0': { type: 'reply', id: 300, vector: 0 },
  'reply-batch-empty': {
    type: 'reply',
    id: 7,
    results: { values: new Uint32Array(0), sizes: new Uint8Array(0), faults: [] },
  },
  'reply-batch': {
    type: 'reply',
    id: 8,
    results: {
      values: Uint32Array.of(5, 1, 0, 0, 0, 0, 0, 0, 0x30, 0),
      sizes: Uint8Array.of(8, 0, 0, 0, 2),
      faults: [],
    },
  },
  'reply-hello': { type: 'reply', id: 0, agreement: { version: 1, capabilities: ['batch', 'credit'] } },
  error: {
    type: 'error',
    id: 2,
    code: 'bad-gsi',
    message: 'There is no GSI 24; lines are numbered 0 to 23.',
    details: { gsi: 24 },
  },
  'error-without-id': {
    type: 'error',
    id: undefined,
    code: 'bad-message',
    message: 'The message is not valid: it ends too early; docs/protocol.md describes each.',
    details: { reason: 'it ends too early' },
  },
  'interrupt-edge': { type: 'interrupt', sequence: 41, message: EDGE },
  'interrupt-level': { type: 'interrupt', sequence: Number.MAX_SAFE_INTEGER, message: LEVEL },
  'intr-up': { type: 'intr', sequence: 42, level: 1 },
  'intr-down': { type: 'intr', sequence: 43, level: 0 },
  'irq-line': {
    type: 'irq',
    sequence: 40,
    cause: 'timer',
    timer: 0,
    ...TIMES,
    deadline: 1_000_000_000,
    lateness: 100,
    event: { kind: 'line', gsi: 2, level: 1, source: 'timer 0' },
  },
  'irq-apic': {
    type: 'irq',
    sequence: 41,
    cause: 'external',
    timer: undefined,
    ...TIMES,
    deadline: undefined,
    lateness: undefined,
    event: { kind: 'apic', pin: 4, message: EDGE },
  },
  'irq-msi': {
    type: 'irq',
    sequence: 42,
    cause: 'timer',
    timer: 2,
    ...TIMES,
    deadline: 1_000_000_100,
    lateness: 0,
    event: { kind: 'msi', timer: 2, address: 0xfee01000, data: 0x31 },
  },
  'irq-intr': {
    type: 'irq',
    sequence: 43,
    cause: 'write',
    timer: undefined,
    ...TIMES,
    deadline: undefined,
    lateness: undefined,
    event: { kind: 'intr', level: 1 },
  },
  gap: { type: 'gap', from: 50, to: 61 },
  credit: { type: 'credit', requests: 256 },
  'hello-stream-lines': {
    type: 'hello',
    version: 1,
    machine: 'default',
    sequence: 41,
    lines: { hpet: 0, external: 0x8000_0010 },
  },
  'gap-lines': { type: 'gap', from: 50, to: 61, lines: { hpet: 0x0001_0000, external: 0x10 } },
  'hello-session': {
    type: 'hello',
    version: 1,
    machine: 'default',
    vcpu: 1,
    clock: 'realtime',
    resumeToken: 'k2hVq0hYh2mN4yqj5m8o3sQzqJ3b1x7T',
    sequence: 41,
    capabilities: ['batch', 'credit', 'ports', 'posted', 'subscribe'],
    credit: 1024,
    epoch: 'pX3qLw0aZk7d',
    session: '9Jb2vT',
    request: 300,
  },
  'credit-numbered': { type: 'credit', requests: 256, request: 812 },
  restored: {
    type: 'restored',
    sequence: 42,
    epoch: 'Wf81uQmT4c2e',
    age: 950,
    request: 290,
    event: 35,
    lines: { hpet: 0x0001_0000, external: 0x10 },
    intr: 1,
  },
  'restored-new': {
    type: 'restored',
    sequence: 0,
    epoch: 'Wf81uQmT4c2e',
    age: 0,
    event: 0,
    lines: { hpet: 0, external: 0 },
  },
  'reply-step': { type: 'reply', id: 16, time: 1_000_000 },
  'reply-step-deadline': {
    type: 'reply',
    id: 21,
    value: { low: 0x89abcdef, high: 0x01234567, size: 8 },
    time: 1_000_000,
    deadline: 3_000_000,
  },
  'gap-intr': { type: 'gap', from: 50, to: 61, lines: { hpet: 0, external: 0x10 }, intr: 1 },
};
