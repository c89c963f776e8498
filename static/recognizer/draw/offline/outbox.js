/** Drawings that could not be sent go out when the network is back, from whichever tab is open then. */

import { forgetWaiting, storeWaiting, waiting } from "./storage.js";

/** @typedef {import("./storage.js").Waiting} Waiting */

const FIRST_RETRY_MS = 5_000;
const LONGEST_RETRY_MS = 60_000;
const LOCK = "digitsite.outbox";

export class Outbox {
  /**
   * @param {object} parts
   * @param {(drawing: Waiting) => Promise<"sent" | "refused" | "later">} parts.send
   */
  constructor({ send }) {
    this.send = send;
    this.retryMs = FIRST_RETRY_MS;
    /** Whether this tab is sending what waits. */
    this.isSending = false;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
    addEventListener("online", () => this.flush());
  }

  /** @param {Waiting} drawing */
  add(drawing) {
    storeWaiting(drawing);
    this.#later();
  }

  /** Send what waits, oldest first; stop at the first that still can't be sent. */
  async flush() {
    clearTimeout(this.timer);
    if (waiting().length === 0) {
      return;
    }
    if ("locks" in navigator) {
      // One tab at a time: the others leave it to that one.
      await navigator.locks.request(LOCK, { ifAvailable: true }, (lock) => (lock === null ? null : this.#sendAll()));
    } else {
      await this.#sendAll();
    }
    if (waiting().length > 0) {
      this.#later();
    } else {
      this.retryMs = FIRST_RETRY_MS;
    }
  }

  async #sendAll() {
    this.isSending = true;
    try {
      for (const drawing of waiting()) {
        const outcome = await this.send(drawing);
        if (outcome === "later") {
          return;
        }
        forgetWaiting(drawing.key);
      }
    } finally {
      this.isSending = false;
    }
  }

  #later() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.flush(), this.retryMs);
    this.retryMs = Math.min(LONGEST_RETRY_MS, 2 * this.retryMs);
  }
}
