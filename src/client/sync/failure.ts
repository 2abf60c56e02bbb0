import { Writer } from '../../protocol/protobuf/writer.js';

const ERROR = 0x1a;
const GAP = 0x3a;
const FIRST = 0x08;
const SECOND = 0x10;
const CODE = 0x12;
const MESSAGE = 0x1a;

const text = new TextEncoder();

/** Frames that the thread with the socket makes itself, in the form of those of a server. */
export const protoFailure = {
  /** An error without an id. */
  error(code: string, message: string): Uint8Array {
    const parts = [text.encode(code), text.encode(message.slice(0, 10_000))];
    const length = parts.reduce((sum, { length }) => sum + 1 + (length < 0x80 ? 1 : 2) + length, 0);
    const writer = new Writer(ERROR, length);
    for (const [index, tag] of [CODE, MESSAGE].entries()) {
      writer.explicit(tag, parts[index].length);
      writer.raw(parts[index]);
    }
    return writer.bytes;
  },

  gap(from: number, to: number): Uint8Array {
    const length = (value: number) => 1 + Math.max(1, Math.ceil(Math.log2(value + 1) / 7));
    const writer = new Writer(GAP, length(from) + length(to));
    writer.explicit(FIRST, from);
    writer.explicit(SECOND, to);
    return writer.bytes;
  },
};
