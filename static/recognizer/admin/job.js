/** The page of a waiting or running training or import: requests its progress every two seconds. */

import { byId, slot } from "../shared/dom.js";
import { Http, RequestError } from "../shared/http.js";

/**
 * @typedef {object} Words what `progress_text` returns for a training, `import_text` for an import
 * @property {string} status
 * @property {string} status_word
 * @property {boolean} is_unfinished
 * @property {string} phase
 * @property {number | null} percent
 * @property {string} running_for
 * @property {string} [epoch]
 * @property {string} [accuracy]
 * @property {string} [loss]
 * @property {string} [time_left]
 * @property {string} [done]
 * @property {string} notice
 * @property {boolean} wants_worker
 * @property {boolean} is_cancelling
 * @property {string} log
 */

const EVERY_MS = 2_000;
const TIMEOUT_MS = 10_000;
const FIGURES = /** @type {const} */ ([
  "epoch",
  "accuracy",
  "loss",
  "time_left",
  "done",
  "running_for",
]);

class JobPage {
  /** @param {HTMLElement} progress */
  constructor(progress) {
    this.url = progress.dataset.statusUrl ?? "";
    this.http = new Http({ other: progress.dataset.lost ?? "" });
    this.log = slot(document, "log");
    this.scrollToEnd();
  }

  /** Requests and shows the progress again and again; once the job has ended the page is reloaded. */
  async watch() {
    const words = document.hidden ? null : await this.ask();
    if (words !== null && !words.is_unfinished) {
      location.reload();
      return;
    }
    if (words !== null) {
      this.show(words);
    }
    setTimeout(() => this.watch(), EVERY_MS);
  }

  /** @returns {Promise<Words | null>} null if the request failed */
  async ask() {
    const lost = slot(document, "lost");
    try {
      const words = await this.http.json(this.url, { timeout: TIMEOUT_MS });
      lost.hidden = true;
      return words;
    } catch (error) {
      if (!(error instanceof RequestError)) {
        throw error;
      }
      if (error.kind === "login") {
        // Logged out meanwhile: the page itself leads to the login and back.
        location.reload();
      } else {
        lost.hidden = false;
        setText(lost, error.message);
      }
      return null;
    }
  }

  /** @param {Words} words */
  show(words) {
    const status = slot(document, "status");
    setText(status, words.status_word);
    status.className = `job-status ${words.status}`;
    setText(slot(document, "phase"), words.phase);
    this.showBar(words.percent);
    for (const name of FIGURES) {
      const value = words[name];
      if (value !== undefined) {
        setText(slot(document, name), value || "–");
      }
    }
    setText(slot(document, "notice"), words.notice);
    slot(document, "notice-box").hidden = words.notice === "";
    slot(document, "command").hidden = !words.wants_worker;
    const cancel = document.querySelector("[data-slot=cancel]");
    if (cancel instanceof HTMLButtonElement) {
      cancel.disabled = words.is_cancelling;
    }
    if (this.log.textContent !== words.log) {
      const wasAtEnd = this.isAtEnd();
      this.log.textContent = words.log;
      if (wasAtEnd) {
        this.scrollToEnd();
      }
    }
  }

  /** @param {number | null} percent */
  showBar(percent) {
    const bar = slot(document, "bar");
    if (percent === null) {
      bar.removeAttribute("value");
    } else {
      bar.setAttribute("value", String(percent));
    }
  }

  isAtEnd() {
    return this.log.scrollTop + this.log.clientHeight >= this.log.scrollHeight - 8;
  }

  scrollToEnd() {
    this.log.scrollTop = this.log.scrollHeight;
  }
}

/**
 * A screen reader announces a text that is set, even to the same text.
 *
 * @param {HTMLElement} element
 * @param {string} text
 */
function setText(element, text) {
  if (element.textContent !== text) {
    element.textContent = text;
  }
}

new JobPage(byId("job-progress", HTMLElement)).watch();
