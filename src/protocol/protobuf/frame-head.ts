import { Fields } from './fields.js';

/** Fields of ServerMessage. */
export const REPLY = 2;
export const ERROR = 3;
export const CREDIT = 8;

/** Of which kind a server's frame is and, of a reply or an error, which request it belongs to, without reading the rest. */
export function headOf(frame: Uint8Array): { readonly field: number; readonly id: number | undefined } {
  const fields = new Fields(frame);
  if (!fields.next()) return { field: 0, id: undefined };
  const field = fields.number;
  if (field !== REPLY && field !== ERROR) return { field, id: undefined };
  const body = new Fields(fields.bytes);
  if (body.next() && body.number === 1) return { field, id: body.value };
  // A number that is 0 is left out, but not where it may be missing.
  return { field, id: field === REPLY ? 0 : undefined };
}
