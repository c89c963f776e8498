/** How many labels a minute: of the last minute, not counting what was before a pause. */

const WINDOW_MS = 60_000;
const PAUSE_MS = 20_000;
// Fewer give no useful rate.
const LEAST = 4;

export class LabelRate {
  /** @type {number[]} */
  #times = [];

  /** @param {number} now in ms */
  mark(now) {
    const last = this.#times.at(-1);
    if (last !== undefined && now - last > PAUSE_MS) {
      this.#times = [];
    }
    this.#times.push(now);
  }

  /** The last label was undone. */
  unmark() {
    this.#times.pop();
  }

  /**
   * @param {number} now in ms
   * @returns {number | null} null while there is none
   */
  perMinute(now) {
    this.#times = this.#times.filter((time) => now - time < WINDOW_MS);
    const first = this.#times[0];
    const last = this.#times.at(-1);
    if (this.#times.length < LEAST || last === undefined || now - last > PAUSE_MS || last === first) {
      return null;
    }
    return Math.round((this.#times.length - 1) / ((last - first) / 60_000));
  }
}
