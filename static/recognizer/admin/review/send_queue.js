/**
 * Requests sent one after the other, so that a label and its undo can't overtake each other. What the reviewer did is
 * sent again until the site can be reached.
 */

import { RequestError } from "../../shared/http.js";

/**
 * @typedef {object} Task
 * @property {() => Promise<any>} send
 * @property {(answer: any) => void} done
 * @property {(failure: RequestError) => void} failed
 * @property {string} [drawing] whose label, skip or undo it is
 * @property {boolean} [isLabel]
 */

// A page that is being left sees its requests fail in the moment before it is told so.
const LEAVING_MS = 200;
const RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 15_000;

export class SendQueue {
  /** @type {Task[]} */
  #waiting = [];
  /** @type {Task | null} */
  #running = null;
  #isBusy = false;
  #isRetrying = false;
  /** Ends the pause before the next attempt. */
  #wake = () => {};

  /** @param {(failure: RequestError | null) => void} unreachable called with null once the site answers again */
  constructor(unreachable) {
    this.unreachable = unreachable;
    addEventListener("online", () => this.#wake());
  }

  /** @returns {Task[]} the tasks without an answer */
  get unanswered() {
    return this.#running === null ? this.#waiting : [this.#running, ...this.#waiting];
  }

  /** @param {Task} task */
  add(task) {
    this.#waiting.push(task);
    if (!this.#isBusy) {
      this.#run();
    }
  }

  /**
   * Remove a task that has not been sent yet.
   *
   * @param {Task} task
   * @returns {boolean} whether it was still waiting
   */
  drop(task) {
    const index = this.#waiting.indexOf(task);
    if (index !== -1) {
      this.#waiting.splice(index, 1);
    }
    return index !== -1;
  }

  /** Send what the reviewer did at once: the page is being left, and no answer will be seen. */
  flush() {
    const retried = this.#isRetrying && this.#running !== null ? [this.#running] : [];
    for (const task of [...retried, ...this.#waiting.splice(0)]) {
      if (task.drawing !== undefined) {
        task.send().catch(() => {});
      }
    }
  }

  async #run() {
    this.#isBusy = true;
    for (let task = this.#waiting.shift(); task !== undefined; task = this.#waiting.shift()) {
      this.#running = task;
      let { answer, failure } = await attempt(task);
      for (let tries = 0; failure?.isTemporary && task.drawing !== undefined; tries += 1) {
        this.#isRetrying = true;
        this.unreachable(failure);
        await this.#pause(Math.max(failure.retryAfter, Math.min(RETRY_MS * 2 ** tries, LONGEST_RETRY_MS)));
        ({ answer, failure } = await attempt(task));
      }
      if (this.#isRetrying) {
        this.#isRetrying = false;
        this.unreachable(null);
      }
      if (failure?.kind === "network") {
        // What waits behind is not given up before `flush` could have sent it.
        await new Promise((resolve) => setTimeout(resolve, LEAVING_MS));
      }
      this.#running = null;
      if (failure === null) {
        task.done(answer);
      } else {
        // What waits behind would fail in the same way, unless this request alone was refused.
        const failed = failure.kind !== "refused" ? [task, ...this.#waiting.splice(0)] : [task];
        for (const each of failed) {
          each.failed(failure);
        }
      }
    }
    this.#isBusy = false;
  }

  /** @param {number} duration in ms; a connection that comes back ends it */
  #pause(duration) {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, duration);
      this.#wake = () => {
        clearTimeout(timer);
        resolve(undefined);
      };
    });
  }
}

/**
 * @param {Task} task
 * @returns {Promise<{ answer: any, failure: RequestError | null }>}
 */
async function attempt(task) {
  try {
    return { answer: await task.send(), failure: null };
  } catch (error) {
    if (!(error instanceof RequestError)) {
      throw error;
    }
    return { answer: null, failure: error };
  }
}
