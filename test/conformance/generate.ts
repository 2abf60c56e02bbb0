import { readFileSync, writeFileSync } from 'node:fs';
import { fromBinary, toJson } from '@bufbuild/protobuf';
import { jsonClientCodec } from '../../src/protocol/json/client-codec.js';
import { jsonCodec } from '../../src/protocol/json/codec.js';
import { describedAnswer } from '../../src/protocol/protobuf/answers.js';
import { describedRequest } from '../../src/protocol/protobuf/requests.js';
import { ClientMessageSchema } from '../protocol/gen/southbridge/v1/client_pb.js';
import { ServerMessageSchema } from '../protocol/gen/southbridge/v1/server_pb.js';
import { CLIENT_EXAMPLES, SERVER_EXAMPLES } from './examples.js';

/** Adds examples to frames.json. One that is there already is left as it is: version 1 of the protocol is fixed. */
const FILE = 'test/conformance/frames.json';

interface Entry {
  readonly name: string;
  readonly from: 'client' | 'server';
}

function described(name: string, from: Entry['from'], bytes: Uint8Array, text: string) {
  const hex = Buffer.from(bytes).toString('hex');
  const proto =
    from === 'client'
      ? toJson(ClientMessageSchema, fromBinary(ClientMessageSchema, bytes))
      : toJson(ServerMessageSchema, fromBinary(ServerMessageSchema, bytes));
  return { name, from, hex, proto, text: JSON.parse(text) };
}

const entries: Entry[] = [];
for (const [name, message] of Object.entries(CLIENT_EXAMPLES)) {
  const bytes = describedRequest(message);
  entries.push(described(name, 'client', bytes, String(jsonClientCodec.encode(message))));
}
for (const [name, message] of Object.entries(SERVER_EXAMPLES)) {
  const bytes = describedAnswer(message);
  entries.push(described(name, 'server', bytes, String(jsonCodec.encode(message))));
}
let existing: Entry[] = [];
try {
  existing = JSON.parse(readFileSync(FILE, 'utf8'));
} catch (error) {
  if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
}
const isNew = ({ name, from }: Entry) => !existing.some((entry) => entry.name === name && entry.from === from);
writeFileSync(FILE, `${JSON.stringify([...existing, ...entries.filter(isNew)], null, 2)}\n`);
