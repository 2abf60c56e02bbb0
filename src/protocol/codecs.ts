import type { Codec } from './codec.js';
import { jsonCodec } from './json/codec.js';
import { protoCodec } from './protobuf/codec.js';
import { isBinary } from './subprotocols.js';

/** The codec of the subprotocol that was agreed on; text if there was none. */
export function codecOf(subprotocol: string): Codec {
  return isBinary(subprotocol) ? protoCodec : jsonCodec;
}
