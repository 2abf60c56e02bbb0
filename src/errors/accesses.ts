/** Accesses, lines and ports, and the messages that carry them. */
export const ACCESSES = {
  'address-unassigned': {
    status: 404,
    message:
      'No device answers {size} bytes at {address}; the HPET is at 0xfed00000–0xfed003ff, the IOAPIC at 0xfec00000–0xfec00fff.',
  },
  'bad-size': {
    status: 400,
    message: 'An access of {size} bytes is not supported; use 1, 2, 4 or 8 bytes.',
  },
  'bad-address': {
    status: 400,
    message: '{address} is not a valid address; give a string such as "0xfed000f0".',
  },
  'value-too-wide': {
    status: 400,
    message: 'The value {value} does not fit in {size} bytes; use a wider access or a smaller value.',
  },
  'bad-gsi': {
    status: 400,
    message: 'There is no GSI {gsi}; GSIs are numbered 0 to 23.',
  },
  'bad-vector': {
    status: 400,
    message: '{vector} is not an interrupt vector; vectors are 0 to 255.',
  },
  'bad-port': {
    status: 404,
    message: 'No device answers at port {port}; the 8259 pair is at 0x20, 0x21, 0xa0, 0xa1, 0x4d0 and 0x4d1.',
  },
  'bql-not-held': {
    status: 500,
    message:
      'The Xen filter of machine {machine} ran without the BQL and aborted the access before it was complete; choose another xen.form, or a design whose irq axis is not lockless.',
  },
  'bad-message': {
    status: 400,
    message: 'The message is invalid: {reason}; docs/protocol.md describes every message.',
  },
  'unknown-message-type': {
    status: 400,
    message: 'There is no message of type {type}; the types are: {allowed}.',
  },
  'frame-too-large': {
    status: 413,
    message: 'The frame is larger than {limit} bytes; send a smaller frame, or raise limits.frameBytes.',
  },
  'batch-too-large': {
    status: 413,
    message: 'A batch of {count} accesses is too long; send at most {limit}, or raise limits.batchAccesses.',
  },
} as const;
