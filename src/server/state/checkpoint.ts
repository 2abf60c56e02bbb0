import { createHash } from 'node:crypto';
import { BqlLoadConfig, MachineConfig } from '../../config/machine.js';
import { SouthbridgeError } from '../../errors.js';
import { jsonClientCodec } from '../../protocol/json/client-codec.js';
import { CLOSED, SessionName } from '../../protocol/json/schemas.js';
import { IRQ_KINDS } from '../../protocol/names.js';
import { type Static, Type } from '../../schema/type.js';
import { Validator } from '../../schema/validate.js';
import { requireFits, type Snapshot, SnapshotSchema } from '../service/snapshot.js';

/**
 * Version of the form that this server writes. It reads all versions up to this one, and refuses later ones. Version 1 (0.1.0) has
 * no sessions, waiting messages, resume hashes and epoch. `test/server/state/versions.test.ts` pins the form of each version.
 */
export const CHECKPOINT_VERSION = 2;

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

/** A message that a client has not acknowledged, in the text form. */
const WaitingMessage = Type.Object({ request: Type.Optional(WholeNumber), message: Type.String() }, CLOSED);

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

/** A change of this schema needs a new version: schemas are closed, so an older server would take the change for damage. */
export const CheckpointSchema = Type.Object(
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
          kept: Type.Optional(Type.Array(WaitingMessage)),
        },
        CLOSED,
      ),
    ),
    /** The line of state; checkpoints of version 1 have none. */
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
 * The first line, which is the same in every version: `southbridge-checkpoint version=2 bytes=20133 sha256=…`. The
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

/** The converse. Throws DamagedCheckpoint, or `checkpoint-version` if a later version of this server wrote it. */
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
  if (Number(version) < 1 || Number(version) > CHECKPOINT_VERSION) {
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

/** What the server remembers of a machine's last checkpoint. */
export interface LastCheckpoint {
  /** Milliseconds on the clock of `performance.now()`: the wall clock may jump. */
  readonly since: number;
  /** Whether the main counter ran: then the machine changes as time passes. */
  readonly counts: boolean;
}

export function lastCheckpointOf(snapshot: Snapshot, since: number): LastCheckpoint {
  return { since, counts: isCounting(snapshot) };
}

/** Whether the main counter runs: ENABLE_CNF of the general configuration register. */
function isCounting({ state }: Snapshot): boolean {
  return (state['hpet.configuration'] & 1) !== 0;
}
