import { SouthbridgeError } from '../../errors.js';
import type { ClientMessage } from '../client-message.js';
import { type Codec, type Frame, RefusedFrame } from '../codec.js';
import type { ServerMessage } from '../server-message.js';
import { SharedFrame } from '../shared-frame.js';
import { JSON_SUBPROTOCOL, SESSION_JSON_SUBPROTOCOL } from '../subprotocols.js';
import { decodeClientFrame } from './client-frame.js';
import { serverText } from './server-text.js';

const events = new SharedFrame(serverText);

function codec(subprotocol: string, hasSessions: boolean): Codec {
  return {
    subprotocol,

    encode(message: ServerMessage): Frame {
      return message.type === 'irq' ? events.of(message) : serverText(message);
    },

    decode(data: Uint8Array, isBinary: boolean, from = 0, end = data.length): ClientMessage {
      if (isBinary) {
        const reason = 'it is a binary frame, and this protocol is text';
        throw new RefusedFrame(undefined, new SouthbridgeError('bad-message', { reason }));
      }
      const text = Buffer.from(data.buffer, data.byteOffset + from, end - from).toString();
      return decodeClientFrame(text, hasSessions);
    },
  };
}

/** Text frames. */
export const jsonCodec = codec(JSON_SUBPROTOCOL, false);
export const sessionJsonCodec = codec(SESSION_JSON_SUBPROTOCOL, true);
