import type { Codec } from './codec.js';
import { jsonCodec } from './json/codec.js';
import { PROTO_SUBPROTOCOL } from './subprotocols.js';

let protoCodec: Codec | undefined;

/**
 * Loads what the first socket needs, and nobody before it: the library for protobuf is 66 modules, a tenth of the time in
 * which a server starts.
 */
export async function loadCodecs(): Promise<void> {
  protoCodec ??= (await import('./protobuf/codec.js')).protoCodec;
}

/** The codec of the subprotocol that was agreed on, after `loadCodecs`; text if there was none. */
export function codecOf(subprotocol: string): Codec {
  if (subprotocol !== PROTO_SUBPROTOCOL) return jsonCodec;
  if (!protoCodec) throw new Error('the codecs are not loaded');
  return protoCodec;
}
