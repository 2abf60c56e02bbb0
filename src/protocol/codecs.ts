import type { Codec } from './codec.js';
import { jsonCodec, sessionJsonCodec } from './json/codec.js';
import { protoCodec, sessionProtoCodec } from './protobuf/codec.js';
import { hasSessions, isBinary } from './subprotocols.js';

/** The codec of the subprotocol that was agreed on; text if there was none. */
export function codecOf(subprotocol: string): Codec {
  if (hasSessions(subprotocol)) return isBinary(subprotocol) ? sessionProtoCodec : sessionJsonCodec;
  return isBinary(subprotocol) ? protoCodec : jsonCodec;
}
