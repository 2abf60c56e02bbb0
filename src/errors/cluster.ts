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
} as const;
