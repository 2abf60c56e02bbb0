import { type Family, kinds } from '../family.js';

export const bufferedBytes: Family = kinds(
  {
    name: 'southbridge_buffered_bytes',
    type: 'gauge',
    help: 'Bytes sent to connections that the operating system has not taken yet.',
  },
  ({ flow }) => flow.sums((connection) => connection.bufferedBytes),
);
