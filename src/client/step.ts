import type { ClientMessage } from '../protocol/client-message.js';
import type { Reply } from '../protocol/server-message.js';
import { access, valueFrom } from './access.js';

/** Of a step of a manual clock; a server of version 1 refuses both. */
export interface StepOptions {
  /** The clock goes no further than the next deadline. Without an armed timer it goes the whole way. */
  readonly toDeadline?: boolean;
  /** A register that is read behind the step, in the same message. */
  readonly read?: { readonly address: number; readonly size: 1 | 2 | 4 | 8 };
}

/** Where a step ended. Times are virtual nanoseconds; a server of version 1 reports none. */
export interface Stepped {
  readonly time?: number;
  /** The next deadline; undefined if no timer is armed. */
  readonly deadline?: number;
  /** Of the register that was read: a bigint of 8 bytes, else a number. */
  readonly value?: number | bigint;
}

export function stepMessage(id: number, ns: number, { toDeadline, read }: StepOptions): ClientMessage {
  return {
    type: 'step',
    id,
    ns,
    ...(toDeadline && { toDeadline }),
    ...(read && { read: access(read.address, read.size) }),
  };
}

export function stepped({ time, deadline, value }: Reply): Stepped {
  return {
    ...(time !== undefined && { time }),
    ...(deadline !== undefined && { deadline }),
    ...(value && { value: valueFrom(value, value.size) }),
  };
}
