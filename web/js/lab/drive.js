// @ts-check
/** For a worker to put the devices in order. */
const END_MS = 5000;

/** Puts the same load on a machine as any other `Drive`: two vCPUs, reads, line changes and ticks. */
export class Drive {
  /**
   * @param {import('../server.js').Server} server
   * @param {any} machine
   * @param {(text: string) => void} onFailure
   */
  constructor(server, { name, clock, vcpus }, onFailure) {
    this.worker = new Worker('/page/js/drive/worker.js', { type: 'module' });
    this.worker.addEventListener('message', ({ data }) => {
      if (data.error !== undefined) onFailure(data.error);
      if (data.stopped) this.worker.terminate();
    });
    this.worker.postMessage({
      url: server.url,
      token: server.token,
      machine: name,
      vcpus: Array.from({ length: Math.min(2, vcpus.length) }, (_, vcpu) => vcpu),
      manual: clock === 'manual',
      pause: 5,
      work: { reads: true, lines: true, ticks: true, hz: 1000 },
    });
  }

  stop() {
    this.worker.postMessage('stop');
    setTimeout(() => this.worker.terminate(), END_MS);
  }
}
