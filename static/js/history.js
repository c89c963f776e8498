/** The visitor's own drawings, newest first. The server renders the first page of them; this adds to it. */

import { ApiError, localPath } from "./api.js";
import { slot } from "./dom.js";
import { fill, isRefused, shortPercent } from "./texts.js";

/** @typedef {import("./api.js").Api} Api */
/** @typedef {import("./types.js").Prediction} Prediction */
/** @typedef {import("./types.js").Texts} Texts */

export class HistoryView {
  /**
   * @param {HTMLElement} element
   * @param {Api} api
   * @param {Texts} texts
   * @param {(message: string) => void} announce
   */
  constructor(element, api, texts, announce) {
    this.element = element;
    this.api = api;
    this.texts = texts;
    this.announce = announce;
    this.list = slot(element, "entries");
    this.template = /** @type {HTMLTemplateElement} */ (slot(element, "entry-template"));
    this.more = /** @type {HTMLAnchorElement} */ (slot(element, "more"));
    this.failure = slot(element, "more-error");
    this.more.addEventListener("click", (event) => {
      event.preventDefault();
      this.#showMore();
    });
  }

  /** @param {Prediction} prediction */
  prepend(prediction) {
    slot(this.element, "empty").hidden = true;
    this.list.prepend(this.#entry(prediction));
  }

  async #showMore() {
    const url = this.more.dataset.next;
    if (url === undefined || this.more.getAttribute("aria-disabled") === "true") {
      return;
    }
    this.more.setAttribute("aria-disabled", "true");
    this.failure.textContent = "";
    try {
      this.#append(await this.api.predictions(url));
    } catch (error) {
      if (!(error instanceof ApiError)) {
        throw error;
      }
      this.failure.textContent = error.message;
    } finally {
      this.more.removeAttribute("aria-disabled");
    }
  }

  /** @param {import("./types.js").PredictionList} page */
  #append({ next, results }) {
    const entries = results.map((prediction) => this.#entry(prediction));
    this.list.append(...entries);
    this.announce(fill(this.texts.more_shown, { count: entries.length }));
    this.more.hidden = next === null;
    if (next !== null) {
      this.more.dataset.next = localPath(next);
    } else {
      // The link that had the focus is gone: continue with what it brought.
      const first = entries.at(0);
      first?.setAttribute("tabindex", "-1");
      first?.focus();
    }
  }

  /**
   * @param {Prediction} prediction
   * @returns {HTMLElement}
   */
  #entry(prediction) {
    const copy = /** @type {DocumentFragment} */ (this.template.content.cloneNode(true));
    const entry = /** @type {HTMLElement} */ (copy.firstElementChild);
    entry.dataset.verdict = prediction.verdict;
    entry.dataset.source = prediction.source;
    const image = /** @type {HTMLImageElement} */ (slot(entry, "image"));
    image.src = localPath(prediction.image_url);
    slot(entry, "digit").textContent = String(prediction.digit);
    slot(entry, "percent").textContent = isRefused(prediction) ? "" : shortPercent(this.texts, prediction.confidence);
    slot(entry, "note").textContent = this.texts.note[prediction.verdict] ?? "";
    return entry;
  }
}
