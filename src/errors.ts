import { ACCESSES } from './errors/accesses.js';
import { CONFIGURATION } from './errors/configuration.js';
import { LAB } from './errors/lab.js';
import { MACHINES, VCPUS } from './errors/machines.js';
import { REQUESTS } from './errors/requests.js';
import { SECURITY } from './errors/security.js';
import { CLUSTER, STATE } from './errors/state.js';

/** What each coded error means. `{name}` in a sentence stands for the detail of that name. */
export const ERRORS = {
  ...REQUESTS,
  ...SECURITY,
  ...MACHINES,
  ...VCPUS,
  ...ACCESSES,
  ...CONFIGURATION,
  ...STATE,
  ...CLUSTER,
  ...LAB,
} as const satisfies { readonly [code: string]: { readonly status: number; readonly message: string } };

export type ErrorCode = keyof typeof ERRORS;
export const ERROR_CODES = Object.keys(ERRORS) as ErrorCode[];

type Placeholder<Sentence extends string> = Sentence extends `${string}{${infer Name}}${infer Rest}`
  ? Name | Placeholder<Rest>
  : never;

/** What a sentence needs, and whatever else helps a program. */
export type ErrorDetails<Code extends ErrorCode> = {
  readonly [Name in Placeholder<(typeof ERRORS)[Code]['message']>]: string | number;
} & { readonly code?: never; readonly message?: never; readonly [name: string]: unknown };

/** Details may be left out if the sentence has no placeholder. */
type Arguments<Code extends ErrorCode> = [Placeholder<(typeof ERRORS)[Code]['message']>] extends [never]
  ? [details?: ErrorDetails<Code>]
  : [details: ErrorDetails<Code>];

/** What goes over the wire. */
export interface ErrorBody {
  readonly error: { readonly code: ErrorCode; readonly message: string; readonly [name: string]: unknown };
}

/** A refusal with a code that programs can rely on, and a sentence that says what to do. */
export class SouthbridgeError<Code extends ErrorCode = ErrorCode> extends Error {
  override readonly name = 'SouthbridgeError';
  readonly details: { readonly [name: string]: unknown };

  constructor(
    readonly code: Code,
    ...[details]: Arguments<Code>
  ) {
    super(sentence(ERRORS[code].message, details ?? {}));
    this.details = details ?? {};
  }

  /** The HTTP status. */
  get status(): number {
    return ERRORS[this.code].status;
  }

  toJSON(): ErrorBody {
    return { error: { code: this.code, message: this.message, ...this.details } };
  }
}

function sentence(template: string, details: { readonly [name: string]: unknown }): string {
  return template.replace(/\{(\w+)\}/g, (_, name: string) => String(details[name]));
}

/** A configuration that cannot be used, with every reason why. */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError';

  constructor(readonly errors: readonly SouthbridgeError[]) {
    super(errors.map((error) => error.message).join('\n'));
  }
}
