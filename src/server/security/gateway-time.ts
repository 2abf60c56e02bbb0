import { SouthbridgeError } from '../../errors.js';

/** A token may save up what it does not use for so long, in seconds. */
const BURST_SECONDS = 10;

/**
 * Time of the gateway's thread that each token may use: a bucket that fills at a constant rate. Only time in which the
 * thread computes for a request is charged, and not time in which the request waits.
 */
export class GatewayTime {
  readonly #buckets = new Map<string, { left: number; at: number }>();

  constructor(
    readonly msPerSecond: number,
    readonly now: () => number = () => performance.now(),
  ) {}

  /** Throws `token-busy` until what the token used beyond its share is made up for. */
  require(token: string): void {
    const { left } = this.#bucket(token);
    if (left > 0) return;
    const { msPerSecond } = this;
    const retryAfter = Math.max(1, Math.ceil(-left / msPerSecond));
    throw new SouthbridgeError('token-busy', { msPerSecond, retryAfter });
  }

  charge(token: string, ms: number): void {
    this.#bucket(token).left -= ms;
  }

  #bucket(token: string): { left: number; at: number } {
    const most = this.msPerSecond * BURST_SECONDS;
    const now = this.now();
    let bucket = this.#buckets.get(token);
    if (!bucket) {
      bucket = { left: most, at: now };
      this.#buckets.set(token, bucket);
    }
    bucket.left = Math.min(most, bucket.left + ((now - bucket.at) / 1000) * this.msPerSecond);
    bucket.at = now;
    return bucket;
  }
}
