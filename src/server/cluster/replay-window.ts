/** Numbers behind the greatest that may still come for the first time: connections overtake each other. */
const WIDTH = 65_536;
const WORD = 32;

/** The numbers that one sender has used, of which each counts once. Those far behind the greatest are refused as well. */
export class ReplayWindow {
  #greatest = 0;
  readonly #used = new Uint32Array(WIDTH / WORD);

  /** Whether this number comes for the first time. */
  take(number: number): boolean {
    if (!Number.isSafeInteger(number) || number < 1 || number <= this.#greatest - WIDTH) return false;
    this.#advance(number);
    const at = number % WIDTH;
    const [word, bit] = [Math.floor(at / WORD), 1 << (at % WORD)];
    if ((this.#used[word] & bit) !== 0) return false;
    this.#used[word] |= bit;
    return true;
  }

  /** Numbers between the greatest until now and this one have not been used. */
  #advance(number: number): void {
    if (number - this.#greatest >= WIDTH) this.#used.fill(0);
    else {
      for (let next = this.#greatest + 1; next <= number; next++) {
        const at = next % WIDTH;
        this.#used[Math.floor(at / WORD)] &= ~(1 << (at % WORD));
      }
    }
    this.#greatest = Math.max(this.#greatest, number);
  }
}
