import type { ClientMessage } from '../client-message.js';
import { type Codec, type Frame, RefusedFrame } from '../codec.js';
import type { ServerMessage } from '../server-message.js';
import { SharedFrame } from '../shared-frame.js';
import { PROTO_SUBPROTOCOL } from '../subprotocols.js';
import { decodeClientFrame } from './client-frame.js';
import { malformed } from './record.js';
import { serverFrame } from './server-frame.js';

const events = new SharedFrame(serverFrame);

/** Binary frames. */
export const protoCodec: Codec = {
  subprotocol: PROTO_SUBPROTOCOL,

  encode(message: ServerMessage): Frame {
    return message.type === 'irq' ? events.of(message) : serverFrame(message);
  },

  decode(data: Uint8Array, isBinary: boolean): ClientMessage {
    if (!isBinary) throw new RefusedFrame(undefined, malformed('it is a text frame, and this protocol is binary'));
    return decodeClientFrame(data);
  },
};
