import type { ClientMessage } from '../client-message.js';
import { type Codec, type Frame, RefusedFrame } from '../codec.js';
import { malformed } from '../records.js';
import type { ServerMessage } from '../server-message.js';
import { SharedFrame } from '../shared-frame.js';
import { PROTO_SUBPROTOCOL, SESSION_PROTO_SUBPROTOCOL } from '../subprotocols.js';
import { serverFrame } from './answers.js';
import { readClientFrame } from './requests.js';

const events = new SharedFrame(serverFrame);

function codec(subprotocol: string, hasSessions: boolean): Codec {
  return {
    subprotocol,

    encode(message: ServerMessage): Frame {
      return message.type === 'irq' ? events.of(message) : serverFrame(message);
    },

    decode(data: Uint8Array, isBinary: boolean, from = 0, end = data.length): ClientMessage {
      if (!isBinary) throw new RefusedFrame(undefined, malformed('it is a text frame, and this protocol is binary'));
      return readClientFrame(data, hasSessions, from, end);
    },
  };
}

/** Binary frames. */
export const protoCodec = codec(PROTO_SUBPROTOCOL, false);
export const sessionProtoCodec = codec(SESSION_PROTO_SUBPROTOCOL, true);
