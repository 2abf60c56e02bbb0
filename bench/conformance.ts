import { readFileSync } from 'node:fs';
import { fromBinary, toBinary } from '@bufbuild/protobuf';
import { ClientMessageSchema } from '../test/protocol/gen/southbridge/v1/client_pb.js';
import { ServerMessageSchema } from '../test/protocol/gen/southbridge/v1/server_pb.js';
import { type Row, row } from './rows.js';

const FRAMES = new URL('../../test/conformance/frames.json', import.meta.url);

interface Frame {
  readonly from: 'client' | 'server';
  readonly hex: string;
}

/** Example frames that a library's codec decodes and encodes to the same bytes: a count, which has to be all of them. */
export async function rows(): Promise<Row[]> {
  const frames: readonly Frame[] = JSON.parse(readFileSync(FRAMES, 'utf8'));
  const same = frames.filter(({ from, hex }) => encodedAgain(from, Buffer.from(hex, 'hex')) === hex);
  const claim = { better: 'higher', baseline: frames.length, target: 1 } as const;
  return [row('example frames that come out of a library as they went in, to all', same.length, '', claim)];
}

function encodedAgain(from: Frame['from'], bytes: Uint8Array): string {
  const again =
    from === 'client'
      ? toBinary(ClientMessageSchema, fromBinary(ClientMessageSchema, bytes))
      : toBinary(ServerMessageSchema, fromBinary(ServerMessageSchema, bytes));
  return Buffer.from(again).toString('hex');
}
