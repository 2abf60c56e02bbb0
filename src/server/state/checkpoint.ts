import { createHash } from 'node:crypto';
import { BqlLoadConfig, MachineConfig } from '../../config/machine.js';
import { SouthbridgeError } from '../../errors.js';
import { jsonClientCodec } from '../../protocol/json/client-codec.js';
import { CLOSED, SessionName } from '../../protocol/json/schemas.js';
import { IRQ_KINDS } from '../../protocol/names.js';
import { type Static, Type } from '../../schema/type.js';
import { Validator } from '../../schema/validate.js';
import { requireFits, type Snapshot, SnapshotSchema } from '../service/snapshot.js';

/** Of the form of a checkpoint; another is refused. */
export const CHECKPOINT_VERSION = 1;

/** Who made the machine: what was done over the API stays done, whatever the configuration says later. */
export const ORIGINS = ['configuration', 'api'] as const;
export type Origin = (typeof ORIGINS)[number];

const WholeNumber = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });

const Session = Type.Object(
  {
    name: SessionName,
    request: WholeNumber,
    contained: Type.Optional(WholeNumber),
    kinds: Type.Array(Type.Enum([...IRQ_KINDS])),
  },
  CLOSED,
);

/** A message in the text form. */
const Kept = Type.Object({ request: Type.Optional(WholeNumber), message: Type.String() }, CLOSED);

const Levels = Type.Integer({ minimum: 0, maximum: 0xffff_ffff });

const EpochSchema = Type.Object(
  {
    epoch: Type.String(),
    sequence: WholeNumber,
    event: WholeNumber,
    age: WholeNumber,
    lines: Type.Object({ hpet: Levels, external: Levels }, CLOSED),
    intr: Type.Integer({ minimum: 0, maximum: 1 }),
  },
  CLOSED,
);

const CheckpointSchema = Type.Object(
  {
    origin: Type.Enum([...ORIGINS]),
    config: MachineConfig,
    paused: Type.Boolean(),
    bqlLoad: BqlLoadConfig,
    /** By number: address registers of the local APICs, SHA-256 of the resume tokens, sessions, and messages that wait. */
    vcpus: Type.Array(
      Type.Object(
        {
          logicalId: Type.Integer({ minimum: 0, maximum: 255 }),
          format: Type.Enum(['flat', 'cluster']),
          resume: Type.Optional(Type.Array(Type.String({ pattern: '^[0-9a-f]{64}$' }))),
          session: Type.Optional(Session),
          kept: Type.Optional(Type.Array(Kept)),
        },
        CLOSED,
      ),
    ),
    /** The line of state; older checkpoints have none. */
    epoch: Type.Optional(EpochSchema),
    snapshot: SnapshotSchema,
  },
  CLOSED,
);

/** Everything that a restart needs to rebuild a machine: docs/operations.md. */
export type Checkpoint = Omit<Static<typeof CheckpointSchema>, 'config' | 'bqlLoad' | 'snapshot'> & {
  readonly config: MachineConfig;
  readonly bqlLoad: BqlLoadConfig;
  readonly snapshot: Snapshot;
};

/** The contents of a file are not what was written. */
export class DamagedCheckpoint extends Error {
  override readonly name = 'DamagedCheckpoint';
}

/**
 * The first line, which is the same in every version: `southbridge-checkpoint version=1 bytes=20133 sha256=…`. The
 * digest is over what stands before it in this line, and the body, so that a damaged version differs from another one.
 */
const FIRST_LINE = /^(southbridge-checkpoint version=(\d{1,9}) bytes=(\d{1,9}))(?: sha256=([0-9a-f]{64}))$/;
const LONGEST_FIRST_LINE = 160;

export function encodeCheckpoint(checkpoint: Checkpoint): Buffer {
  const body = Buffer.from(`${JSON.stringify(checkpoint)}\n`);
  const head = `southbridge-checkpoint version=${CHECKPOINT_VERSION} bytes=${body.length}`;
  return Buffer.concat([Buffer.from(`${head} sha256=${digest(head, body)}\n`), body]);
}

function digest(head: string, body: Buffer): string {
  return createHash('sha256').update(head).update('\n').update(body).digest('hex');
}

/** The converse. Throws DamagedCheckpoint, or `checkpoint-version` for what another version of this server wrote. */
export function decodeCheckpoint(contents: Buffer, file: string): Checkpoint {
  const end = contents.subarray(0, LONGEST_FIRST_LINE).indexOf('\n');
  const line = FIRST_LINE.exec(contents.subarray(0, Math.max(0, end)).toString('latin1'));
  if (!line) throw new DamagedCheckpoint('its first line is not that of a checkpoint');
  const [, head, version, bytes, sha256] = line;
  const body = contents.subarray(end + 1);
  if (body.length !== Number(bytes)) {
    throw new DamagedCheckpoint(`it has ${body.length} bytes after its first line, not ${bytes}`);
  }
  if (digest(head, body) !== sha256) throw new DamagedCheckpoint('its checksum is wrong');
  if (Number(version) !== CHECKPOINT_VERSION) {
    throw new SouthbridgeError('checkpoint-version', { file, version: Number(version), known: CHECKPOINT_VERSION });
  }
  return checked(body);
}

let validator: Validator | undefined;

/** The checksum says that nothing changed since it was written, not that this server wrote it. */
function checked(body: Buffer): Checkpoint {
  let value: unknown;
  try {
    value = JSON.parse(body.toString());
  } catch (error) {
    throw new DamagedCheckpoint(`it is not JSON: ${(error as Error).message}`);
  }
  validator ??= new Validator(CheckpointSchema);
  const [fault] = validator.check(value);
  if (fault) throw new DamagedCheckpoint(`its ${fault.path.join('.') || 'body'} is not as it must be`);
  const checkpoint = value as Checkpoint;
  try {
    requireFits(checkpoint.snapshot, checkpoint.config);
    for (const { kept = [] } of checkpoint.vcpus) for (const { message } of kept) jsonClientCodec.decode(message);
  } catch (error) {
    if (!(error instanceof SouthbridgeError)) throw new DamagedCheckpoint('a message that waits is not as it must be');
    throw new DamagedCheckpoint(String(error.details.what ?? error.message));
  }
  return checkpoint;
}

/** Throws `checkpoint-unreadable` unless these contents, which are about to be written, can be read back. */
export function requireReadable(contents: Buffer, file: string, machine: string): void {
  try {
    decodeCheckpoint(contents, file);
  } catch (error) {
    if (!(error instanceof DamagedCheckpoint)) throw error;
    throw new SouthbridgeError('checkpoint-unreadable', { machine, reason: error.message });
  }
}

/** What is known of a machine's last checkpoint. */
export interface Kept {
  /** Milliseconds on the clock of `performance.now()`: the wall clock may jump. */
  readonly since: number;
  /** Whether the main counter ran: then the machine changes as time passes. */
  readonly counts: boolean;
}

export function keptOf(snapshot: Snapshot, since: number): Kept {
  return { since, counts: isCounting(snapshot) };
}

/** Whether the main counter runs: ENABLE_CNF of the general configuration register. */
function isCounting({ state }: Snapshot): boolean {
  return (state['hpet.configuration'] & 1) !== 0;
}
