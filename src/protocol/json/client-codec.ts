import { ANSWERS } from '../answers.js';
import type { ClientMessage } from '../client-message.js';
import type { ClientCodec } from '../codec.js';
import { CARRIED_ACK, REQUESTS, requestType } from '../messages.js';
import type { ServerMessage } from '../server-message.js';
import { JSON_SUBPROTOCOL } from '../subprotocols.js';

/** Text frames, as a client speaks them. */
export const jsonClientCodec: ClientCodec = {
  subprotocol: JSON_SUBPROTOCOL,

  encode(message: ClientMessage): string {
    const type = requestType(message);
    const fields = REQUESTS[type].description.toJson({ ...message }, { type });
    CARRIED_ACK.toJson({ ...message }, fields);
    return JSON.stringify(fields);
  },

  decode(frame) {
    const fields = JSON.parse(typeof frame === 'string' ? frame : new TextDecoder().decode(frame));
    const type: ServerMessage['type'] = fields.type;
    return ANSWERS[type].fromJson(fields, { type }) as unknown as ServerMessage;
  },
};
