import type { ClientCodec } from '../codec.js';
import { PROTO_SUBPROTOCOL } from '../subprotocols.js';
import { readServerFrame } from './answers.js';
import { clientFrame } from './requests.js';

/** Binary frames, as a client speaks them. */
export const protoClientCodec: ClientCodec = {
  subprotocol: PROTO_SUBPROTOCOL,
  encode: clientFrame,
  decode(frame) {
    if (typeof frame === 'string') throw new TypeError('the server sent a text frame, and this protocol is binary');
    return readServerFrame(frame);
  },
};
