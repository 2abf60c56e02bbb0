import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

/**
 * The tokens with which a vCPU's connection is taken over, as hashes. Each connection gets a new one. The one before stays
 * valid until the new connection sends something: its client may never have received the new one.
 */
export class ResumeTokens {
  #current: Buffer | undefined;
  #previous: Buffer | undefined;
  /** Tokens of before a restart of the server, and until when they are valid: ms of `performance.now()`. */
  #former: { readonly hashes: readonly Buffer[]; readonly until: number } | undefined;

  accepts(token: string): boolean {
    const hash = hashOf(token);
    return matches(hash, [this.#current, this.#previous, ...this.#formerHashes]);
  }

  /** A new token, for a connection that showed `shown`. */
  issue(shown: string | undefined): string {
    const hash = shown === undefined ? undefined : hashOf(shown);
    if (hash && matches(hash, this.#formerHashes)) {
      this.#previous = hash;
      this.#former = undefined;
    } else if (!hash || !matches(hash, [this.#previous])) this.#previous = this.#current;
    const token = randomBytes(24).toString('base64url');
    this.#current = hashOf(token);
    return token;
  }

  /** The connection with the last token sent something, so that its client has that token. */
  confirm(): void {
    this.#previous = undefined;
  }

  /** Hashes of all tokens that are valid, as hexadecimal text. */
  get saved(): string[] {
    const valid = [this.#current, this.#previous, ...this.#formerHashes];
    return valid.filter((hash) => hash !== undefined).map((hash) => hash.toString('hex'));
  }

  /** Makes saved tokens valid for `ms`. */
  restore(saved: readonly string[], ms: number): void {
    this.#former = { hashes: saved.map((hash) => Buffer.from(hash, 'hex')), until: performance.now() + ms };
  }

  get #formerHashes(): readonly Buffer[] {
    if (this.#former && performance.now() >= this.#former.until) this.#former = undefined;
    return this.#former?.hashes ?? [];
  }
}

function hashOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

function matches(hash: Buffer, known: readonly (Buffer | undefined)[]): boolean {
  return known.some((each) => each && timingSafeEqual(each, hash));
}
