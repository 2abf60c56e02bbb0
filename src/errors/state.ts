/** The state directory, and the life cycle of the server. */
export const STATE = {
  'state-no-space': {
    status: 507,
    message:
      'The change to machine {machine} was refused because {folder} has no space for it: {reason}. Nothing was changed; free space in that folder, and send the request again.',
  },
  'state-unavailable': {
    status: 503,
    message:
      'The change to machine {machine} was refused because {folder} cannot be used: {reason}. Nothing was changed; make the folder usable, and send the request again.',
  },
  'state-dir-in-use': {
    status: 500,
    message:
      'Another server ({holder}) stores its machines in {folder}; stop it first, or choose another folder with --state-dir.',
  },
  'state-dir-unusable': {
    status: 500,
    message:
      'The server cannot store machines in {folder}: {reason}; make the folder writable, or choose another with --state-dir.',
  },
  'checkpoint-version': {
    status: 500,
    message:
      'The checkpoint {file} has version {version}; this server reads versions 1 to {known}. Start the server that wrote it, or move the file away.',
  },
  'checkpoint-unreadable': {
    status: 500,
    message:
      'The new checkpoint of machine {machine} could not be read back ({reason}), so the server kept the previous checkpoint. This is a bug: please report it; PUT a snapshot or POST /v1/machines/{machine}/restore to return to a state that can be saved.',
  },
  'state-not-kept': {
    status: 500,
    message:
      'At shutdown the server could not store all machines in {folder}: {reason}. Machines with an older checkpoint only: {machines}.',
  },
  'not-ready': {
    status: 503,
    message: 'The server is not ready: {reason}; try again in a moment.',
  },
  stalled: {
    status: 503,
    message: '{stall}. Other machines may still be served; restart the server if this does not end.',
  },
  'shutting-down': {
    status: 503,
    message: 'The server is shutting down; reconnect after it has restarted.',
  },
  internal: {
    status: 500,
    message: 'The server failed to handle the request; its log has the details under request {request}.',
  },
} as const;

/** Several servers that share their machines over NATS JetStream. */
export const CLUSTER = {
  'cluster-unreachable': {
    status: 500,
    message:
      'No NATS server of the cluster ({servers}) can be used: {reason}. Start nats-server with JetStream, or correct cluster.servers.',
  },
  'cluster-nats-version': {
    status: 500,
    message:
      'The NATS server {server} has version {version}, which may acknowledge several writers of one revision; upgrade it to {least} or later.',
  },
  'cluster-credentials': {
    status: 500,
    message: 'The credentials file {file} of the cluster cannot be used: {reason}. Correct cluster.credentialsFile.',
  },
  'change-unsettled': {
    status: 503,
    message:
      'This node lost its lease before the change to machine {machine} was acknowledged, so the change may be durable or not; read the state of the machine from its next owner.',
  },
  'checkpoint-damaged': {
    status: 500,
    message:
      'The checkpoint of machine {machine} is damaged: {reason}. Start a node of the version that wrote it, or delete the machine.',
  },
  'machine-unstartable': {
    status: 409,
    message:
      'Machine {machine} cannot be started from its checkpoint; on node {node}: {reason} POST /v1/machines/{machine}/migrate tries again on a node, DELETE /v1/machines/{machine} removes the machine.',
  },
  'cluster-not-answering': {
    status: 503,
    message: 'NATS does not answer this node of the cluster: {reason}. Send the request again in a moment.',
  },
  'no-cluster': {
    status: 409,
    message: 'This server is not a node of a cluster; set cluster.servers, and start it again.',
  },
  'unknown-node': {
    status: 404,
    message: 'The cluster has no other node {node} than this one ({own}); GET /v1/cluster lists the nodes.',
  },
  'no-room': {
    status: 503,
    message:
      'No node of the cluster can take another machine; GET /v1/cluster shows which nodes have room and are not draining.',
  },
  'migration-refused': {
    status: 503,
    message:
      'Node {node} did not take machine {machine}, which stays where it is; GET /v1/cluster shows which nodes have room and are not draining.',
  },
  'machine-moved': {
    status: 503,
    message: 'Machine {machine} continues on another node of the cluster; connect again, and send the request again.',
  },
  'owner-unknown': {
    status: 503,
    message:
      'Which node has machine {machine} is unknown at present ({reason}), so nothing was executed; send the request again in {retryAfter} s.',
  },
  'node-unreachable': {
    status: 502,
    message:
      'Node {node} did not answer {request} at {address}: {reason}. The request may or may not have been executed; read the state before you send it again.',
  },
  'forwarding-stale': {
    status: 503,
    message:
      'Node {node} forwarded this request to another life of this node, or twice, so it was not executed; send it again in {retryAfter} s.',
  },
  'lease-lost': {
    status: 503,
    message:
      'This node of the cluster has no lease, so other nodes may own its machines; send the request to another node, or again in a moment.',
  },
} as const;
