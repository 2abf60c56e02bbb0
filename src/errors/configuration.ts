/** The configuration, the files that it names, and what a start needs of the system. */
export const CONFIGURATION = {
  'config-unreadable': {
    status: 400,
    message: 'The configuration file {file} cannot be read: {reason}.',
  },
  'config-unknown-key': {
    status: 400,
    message: 'Unknown key {key} ({source}){hint}; the keys allowed here are: {known}.',
  },
  'config-missing-key': {
    status: 400,
    message: 'The key {key} ({source}) is missing; it must be {expected}.',
  },
  'config-wrong-type': {
    status: 400,
    message: 'The key {key} ({source}) has a value of the wrong type; it must be {expected}.',
  },
  'config-not-allowed': {
    status: 400,
    message: 'The value {value} of key {key} ({source}) is not allowed; it must be {expected}.',
  },
  'config-exposed': {
    status: 400,
    message:
      'Without tokens any client that reaches {host} has full access; name a token file with --token-file (npx southbridge token add creates it), permit this with --insecure, or listen on 127.0.0.1.',
  },
  'design-unusable': {
    status: 400,
    message:
      'The design module {file} cannot be used: {reason}. docs/adding-a-design.md lists what a module must provide.',
  },
  'scenario-unusable': {
    status: 400,
    message: 'The scenario file {file} cannot be used: {reason}. docs/adding-a-design.md shows a complete one.',
  },
  'token-file-unusable': {
    status: 500,
    message: 'The token file {file} cannot be used: {reason}.',
  },
  'tls-file-unusable': {
    status: 500,
    message: 'TLS cannot use {file}: {reason}.',
  },
  'token-exists': {
    status: 409,
    message: 'The token {name} already exists in {file}; choose another name, or remove it first.',
  },
  'unknown-token': {
    status: 404,
    message: 'There is no token {name} in {file}; npx southbridge token list lists the tokens.',
  },
  'port-in-use': {
    status: 500,
    message: 'Port {port} on {host} is in use; choose another with --port, or --port 0 for any free port.',
  },
  'port-not-permitted': {
    status: 500,
    message: 'This account may not listen on port {port} of {host}; choose a port above 1023 with --port.',
  },
  'host-unavailable': {
    status: 500,
    message: 'The address {host} does not belong to this host; choose another with --host.',
  },
  'too-few-files': {
    status: 500,
    message:
      'This process may open {limit} files, and a server with these threads needs {needed}; raise the limit (ulimit -n, LimitNOFILE of systemd), or lower vcpuThreads.',
  },
  'socket-in-use': {
    status: 500,
    message:
      'A running server listens on the Unix socket {path}; choose another path with --listen unix:PATH, or stop that server.',
  },
  'socket-unusable': {
    status: 500,
    message:
      'The server cannot listen on the Unix socket {path}: {reason}; choose another path with --listen unix:PATH, or make this one usable.',
  },
} as const;
