/** The state directory, and the life cycle of the server. */
export const STATE = {
  'state-no-space': {
    status: 507,
    message:
      'The change to machine {machine} was refused because {folder} has no space for it: {reason}. Nothing was changed; free space there, and send the request again.',
  },
  'state-unavailable': {
    status: 503,
    message:
      'The change to machine {machine} was refused because {folder} cannot be used: {reason}. Nothing was changed; make the folder usable, and send the request again.',
  },
  'state-dir-in-use': {
    status: 500,
    message:
      'Another server ({holder}) keeps its machines in {folder}; end it first, or choose another with --state-dir.',
  },
  'state-dir-unusable': {
    status: 500,
    message: 'No machines can be kept in {folder}: {reason}; make it writable, or choose another with --state-dir.',
  },
  'checkpoint-version': {
    status: 500,
    message:
      'The checkpoint {file} has version {version}; this server reads version {known}. Start the server that wrote it, or move the file away.',
  },
  'checkpoint-unreadable': {
    status: 500,
    message:
      'The new checkpoint of machine {machine} could not be read back ({reason}), so it was not written and the one before it stays. This is a bug: please report it; PUT a snapshot or POST /v1/machines/{machine}/restore to go on from a state that can be saved.',
  },
  'state-not-kept': {
    status: 500,
    message:
      'At the end not all could be kept in {folder}: {reason}. Machines of which only older checkpoints are there: {machines}.',
  },
  'not-ready': {
    status: 503,
    message: 'The server is not ready: {reason}; try again in a moment.',
  },
  'shutting-down': {
    status: 503,
    message: 'The server is shutting down; connect again when it is back.',
  },
  internal: {
    status: 500,
    message: 'The server failed to handle this; its log has the details under request {request}.',
  },
} as const;
