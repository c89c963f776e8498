/** When to ask for a live guess: soon after a stroke, never two at once, and less often where the server is slow. */

/** After the last stroke's end, in case the next one begins at once. */
const SETTLE_MS = 40;

/** After a refusal that names no time. */
const PAUSE_MS = 10_000;
const LONGEST_PAUSE_MS = 60_000;

/**
 * A question that can be called off. It rejects with what `pauseOf` understands.
 *
 * @template T
 * @typedef {(signal: AbortSignal) => Promise<T>} Question
 */

/** @template T */
export class LiveGuess {
  /**
   * @param {object} parts
   * @param {Question<T>} parts.ask
   * @param {(answer: T) => void} parts.show
   * @param {(error: unknown) => number | null} parts.pauseOf how many ms to pause after this error; 0 if it does not
   *   say, null if it is no reason to pause
   * @param {() => number} [parts.now]
   */
  constructor({ ask, show, pauseOf, now = () => performance.now() }) {
    this.ask = ask;
    this.show = show;
    this.pauseOf = pauseOf;
    this.now = now;
    this.isOn = true;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
    /** @type {AbortController | null} */
    this.asking = null;
    /** How long the server took of late, in ms: no question follows another faster than that. */
    this.pace = 0;
    this.askedAt = -Infinity;
    this.pausedUntil = -Infinity;
    this.failures = 0;
  }

  /** The drawing has changed: ask about it soon. What was asked before is of no interest any more. */
  request() {
    this.cancel();
    if (!this.isOn) {
      return;
    }
    const now = this.now();
    const earliest = Math.max(now + SETTLE_MS, this.askedAt + this.pace, this.pausedUntil);
    this.timer = setTimeout(() => this.#askNow(), earliest - now);
  }

  /** Ask nothing, and show nothing of what was asked. */
  cancel() {
    clearTimeout(this.timer);
    this.asking?.abort();
    this.asking = null;
  }

  async #askNow() {
    const asking = new AbortController();
    this.asking = asking;
    this.askedAt = this.now();
    try {
      const answer = await this.ask(asking.signal);
      this.failures = 0;
      if (!asking.signal.aborted) {
        this.show(answer);
      }
    } catch (error) {
      if (!asking.signal.aborted) {
        this.#failed(error);
      }
    } finally {
      // Of one that was called off too: it took the server at least as long.
      this.pace = (this.pace + this.now() - this.askedAt) / 2;
      if (this.asking === asking) {
        this.asking = null;
      }
    }
  }

  /** @param {unknown} error */
  #failed(error) {
    const pause = this.pauseOf(error);
    if (pause !== null) {
      this.failures += 1;
      const longer = Math.min(LONGEST_PAUSE_MS, PAUSE_MS * 2 ** (this.failures - 1));
      this.pausedUntil = this.now() + (pause > 0 ? pause : longer);
    }
  }
}
