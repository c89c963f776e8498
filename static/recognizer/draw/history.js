/** The visitor's own drawings, newest first. The server renders the first page of them; this adds to it. */

import { slot } from "../shared/dom.js";
import { RequestError, localPath } from "../shared/http.js";
import { NOT_A_DIGIT, answeredLabel, suggestedLabel } from "../shared/labels.js";
import { isRefused, shortPercent } from "./answer/answer_text.js";
import { fill } from "../shared/texts.js";

/** @typedef {import("./api.js").Api} Api */
/** @typedef {import("./feedback/suggestions.js").Suggestions} Suggestions */
/** @typedef {import("./types.js").Entry} Entry */
/** @typedef {import("./types.js").Prediction} Prediction */
/** @typedef {import("./types.js").Suggestion} Suggestion */
/** @typedef {import("./types.js").Texts} Texts */

export class HistoryView {
  /**
   * @param {HTMLElement} element
   * @param {Api} api
   * @param {Suggestions} suggestions
   * @param {Texts} texts
   * @param {{
   *   announce: (message: string) => void,
   *   open: (entry: Entry) => void,
   *   close: () => void,
   *   removed: (id: string | null) => void,
   * }} page
   */
  constructor(element, api, suggestions, texts, { announce, open, close, removed }) {
    this.element = element;
    this.api = api;
    this.suggestions = suggestions;
    this.texts = texts;
    this.announce = announce;
    this.open = open;
    this.close = close;
    this.removed = removed;
    this.removeAll = /** @type {HTMLDetailsElement} */ (slot(element, "remove-all"));
    this.removeFailure = slot(element, "remove-error");
    this.list = slot(element, "entries");
    this.template = /** @type {HTMLTemplateElement} */ (slot(element, "entry-template"));
    this.more = /** @type {HTMLAnchorElement} */ (slot(element, "more"));
    this.failure = slot(element, "more-error");
    this.more.addEventListener("click", (event) => {
      event.preventDefault();
      this.#showMore();
    });
    this.list.addEventListener("click", (event) => this.#opened(event));
    slot(element, "remove-form").addEventListener("submit", (event) => this.#remove(event));
    slot(this.removeAll, "remove-all-form").addEventListener("submit", (event) => this.#remove(event));
    this.list.querySelectorAll(".entry").forEach((entry) => {
      const { id, suggestion } = /** @type {HTMLElement} */ (entry).dataset;
      suggestions.learn(String(id), suggestion ? Number(suggestion) : null);
    });
    suggestions.onChange((id, suggestion) => this.#said(id, suggestion));
  }

  /** @param {Prediction} prediction */
  prepend(prediction) {
    this.list.prepend(this.#entry(prediction));
    this.#countChanged();
  }

  #countChanged() {
    const isEmpty = this.list.children.length === 0;
    slot(this.element, "empty").hidden = !isEmpty || !this.more.hidden;
    this.removeAll.hidden = isEmpty;
  }

  /**
   * Delete the drawing that is open, or all of them.
   *
   * @param {Event} event
   */
  async #remove(event) {
    event.preventDefault();
    const form = /** @type {HTMLFormElement} */ (event.currentTarget);
    if (form.getAttribute("aria-busy") === "true") {
      return;
    }
    const id = form.dataset.id ?? null;
    const failure = id === null ? slot(this.element, "remove-all-error") : this.removeFailure;
    failure.textContent = "";
    form.setAttribute("aria-busy", "true");
    try {
      const { unlinked } = id === null ? await this.api.removeAll() : await this.api.remove(id);
      this.#gone(id, unlinked);
    } catch (error) {
      if (!(error instanceof RequestError)) {
        throw error;
      }
      failure.textContent = error.message;
    } finally {
      form.removeAttribute("aria-busy");
    }
  }

  /**
   * @param {string | null} id null: all
   * @param {number} unlinked how many stay as training material, tied to nobody
   */
  #gone(id, unlinked) {
    const words = this.texts.removed;
    if (id === null) {
      this.list.replaceChildren();
      this.more.hidden = true;
      this.removeAll.open = false;
    } else {
      this.list.querySelector(`.entry[data-id="${id}"]`)?.remove();
      this.close();
    }
    this.#countChanged();
    const sentence = id === null ? words.all : words.one;
    slot(this.element, "history-heading").focus();
    this.announce(unlinked > 0 ? `${sentence} ${words.kept}` : sentence);
    slot(this.element, "history-outcome").textContent = unlinked > 0 ? `${sentence} ${words.kept}` : sentence;
    this.removed(id);
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
      if (!(error instanceof RequestError)) {
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
   * Open an entry here instead of on a page of its own, unless a page of its own is asked for.
   *
   * @param {MouseEvent} event
   */
  #opened(event) {
    const target = /** @type {Element} */ (event.target);
    const link = target.closest("[data-slot=open]");
    const entry = link?.closest(".entry");
    if (!(entry instanceof HTMLElement) || event.ctrlKey || event.metaKey || event.shiftKey) {
      return;
    }
    event.preventDefault();
    const { id, digit, verdict, source } = entry.dataset;
    this.open({
      id: String(id),
      digit: Number(digit),
      verdict: String(verdict),
      source: String(source),
      image_url: String(slot(entry, "image").getAttribute("src")),
    });
  }

  /**
   * @param {string} id
   * @param {Suggestion} suggestion
   */
  #said(id, { choice, state }) {
    const entry = this.list.querySelector(`.entry[data-id="${id}"]`);
    if (entry instanceof HTMLElement) {
      this.#write(entry, choice, state === "failed");
    }
  }

  /**
   * @param {HTMLElement} entry
   * @param {number | null} label
   * @param {boolean} isFailed whether the site does not have it yet
   */
  #write(entry, label, isFailed) {
    const { digit, verdict } = entry.dataset;
    const words = this.texts.entry;
    let note = "";
    if (label !== null && label === answeredLabel({ digit: Number(digit), verdict: String(verdict) })) {
      note = words.right;
    } else if (label !== null) {
      note = label === NOT_A_DIGIT ? words.not_a_digit : fill(words.digit, { digit: label });
    }
    entry.dataset.suggestion = label === null ? "" : String(label);
    slot(entry, "said").textContent = isFailed ? `${note} (${this.texts.feedback.not_sent})` : note;
  }

  /**
   * @param {Prediction} prediction
   * @returns {HTMLElement}
   */
  #entry(prediction) {
    const copy = /** @type {DocumentFragment} */ (this.template.content.cloneNode(true));
    const entry = /** @type {HTMLElement} */ (copy.firstElementChild);
    const { id } = prediction;
    entry.dataset.id = id;
    entry.dataset.digit = String(prediction.digit);
    entry.dataset.verdict = prediction.verdict;
    entry.dataset.source = prediction.source;
    const link = /** @type {HTMLAnchorElement} */ (slot(entry, "open"));
    link.setAttribute("href", `${this.element.dataset.page}?prediction=${id}#feedback`);
    const image = /** @type {HTMLImageElement} */ (slot(entry, "image"));
    image.src = localPath(prediction.image_url);
    slot(entry, "digit").textContent = String(prediction.digit);
    slot(entry, "percent").textContent = isRefused(prediction) ? "" : shortPercent(this.texts, prediction.confidence);
    const taught = prediction.personal ? this.texts.personal.note : "";
    slot(entry, "note").textContent = this.texts.note[prediction.verdict] || taught;
    this.suggestions.learn(id, suggestedLabel(prediction));
    this.#write(entry, this.suggestions.of(id).choice, false);
    return entry;
  }
}
