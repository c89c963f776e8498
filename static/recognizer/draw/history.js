/** The visitor's own drawings, newest first. The server renders the first page of them; this adds to it. */

import { byId, slot } from "../shared/dom.js";
import { EntryDialog } from "./feedback/entry_dialog.js";
import { RequestError, localPath } from "../shared/http.js";
import { NOT_A_DIGIT, answeredLabel, suggestedLabel } from "../shared/labels.js";
import { fill } from "../shared/texts.js";

/** @typedef {import("./api.js").Api} Api */
/** @typedef {import("./feedback/feedback.js").FeedbackView} FeedbackView */
/** @typedef {import("./feedback/suggestions.js").Suggestions} Suggestions */
/** @typedef {import("./types.js").Prediction} Prediction */
/** @typedef {import("./types.js").Suggestion} Suggestion */
/** @typedef {import("./types.js").Texts} Texts */

export class HistoryView {
  /**
   * @param {HTMLElement} element
   * @param {Api} api
   * @param {Suggestions} suggestions
   * @param {Texts} texts
   * @param {FeedbackView} feedback of the dialog
   * @param {{ announce: (message: string) => void, removed: (id: string | null) => void }} page
   */
  constructor(element, api, suggestions, texts, feedback, { announce, removed }) {
    this.element = element;
    this.api = api;
    this.suggestions = suggestions;
    this.texts = texts;
    this.announce = announce;
    this.dialog = new EntryDialog(byId("opened", HTMLDialogElement), feedback);
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
      const { id = "", suggestion, suggestedNumber } = /** @type {HTMLElement} */ (entry).dataset;
      if (suggestions.of(id).state === "idle") {
        const label = suggestedNumber || (suggestion ? Number(suggestion) : null);
        suggestions.learn(id, label, slot(entry, "said").textContent ?? "");
      } else {
        this.#said(id, suggestions.of(id));
      }
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
    if (id === null) {
      this.list.replaceChildren();
      this.more.hidden = true;
      this.removeAll.open = false;
    } else {
      this.list.querySelector(`.entry[data-id="${id}"]`)?.remove();
      this.dialog.close();
    }
    this.#countChanged();
    const what = id === null ? "all" : "one";
    const sentence = this.texts.removed[unlinked > 0 ? `${what}-kept` : what];
    slot(this.element, "history-heading").focus();
    this.announce(sentence);
    slot(this.element, "history-outcome").textContent = sentence;
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
      // The link that had the focus is hidden now: move the focus to what it loaded.
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
    const { id, digit, verdict, number, source, sentence } = entry.dataset;
    this.dialog.open({
      id: String(id),
      digit: Number(digit),
      verdict: String(verdict),
      number: number || null,
      source: String(source),
      sentence: String(sentence),
      image_url: String(slot(entry, "image").getAttribute("src")),
    });
  }

  /**
   * @param {string} id
   * @param {Suggestion} suggestion
   */
  #said(id, suggestion) {
    const entry = this.list.querySelector(`.entry[data-id="${id}"]`);
    if (entry instanceof HTMLElement) {
      this.#write(entry, suggestion);
    }
  }

  /**
   * @param {HTMLElement} entry
   * @param {Suggestion} suggestion
   */
  #write(entry, { choice, note, state }) {
    const { sending, not_sent: notSent } = this.texts.feedback;
    entry.dataset.suggestion = typeof choice === "number" ? String(choice) : "";
    entry.dataset.suggestedNumber = typeof choice === "string" ? choice : "";
    slot(entry, "said").textContent = { idle: note, saved: note, sending, failed: notSent }[state];
  }

  /**
   * @param {Prediction} prediction
   * @returns {HTMLElement}
   */
  #entry(prediction) {
    const copy = /** @type {DocumentFragment} */ (this.template.content.cloneNode(true));
    const entry = /** @type {HTMLElement} */ (copy.firstElementChild);
    const { id, words } = prediction;
    entry.dataset.id = id;
    entry.dataset.sentence = words.sentence;
    entry.dataset.digit = String(prediction.digit);
    entry.dataset.verdict = prediction.verdict;
    entry.dataset.number = prediction.number ?? "";
    entry.dataset.source = prediction.source;
    const link = /** @type {HTMLAnchorElement} */ (slot(entry, "open"));
    link.setAttribute("href", `${this.element.dataset.page}?prediction=${id}#feedback`);
    const image = /** @type {HTMLImageElement} */ (slot(entry, "image"));
    image.src = localPath(prediction.image_url);
    const answered = answeredLabel(prediction);
    slot(entry, "digit").textContent = answered === NOT_A_DIGIT ? "?" : String(answered);
    slot(entry, "percent").textContent = words.short_percent;
    slot(entry, "note").textContent = words.note;
    if (this.suggestions.of(id).state === "idle") {
      this.suggestions.learn(id, suggestedLabel(prediction), words.suggestion);
    }
    this.#write(entry, this.suggestions.of(id));
    return entry;
  }
}
