/** Shows the review queue; it decides nothing. */

import { byId, slot } from "../../shared/dom.js";
import { labelText } from "./number.js";
import { fill } from "../../shared/texts.js";

/** @typedef {import("./card.js").Card} Card */
/** @typedef {import("./queue.js").ReviewQueue} ReviewQueue */
/** @typedef {import("./types.js").Drawing} Drawing */
/** @typedef {import("./types.js").Texts} Texts */

const NOT_A_DIGIT = 10;

export class View {
  #root = byId("review", HTMLElement);
  /** @type {Card | undefined} */
  #shown = undefined;
  #isBusyBefore = true;

  /** @param {Texts} texts */
  constructor(texts) {
    this.texts = texts;
    this.numbers = new Intl.NumberFormat(document.documentElement.lang || undefined);
  }

  /** @param {ReviewQueue} queue */
  render(queue) {
    const { current, isDone } = queue;
    const isStuck = current === undefined && queue.hasFailed && !isDone;
    this.#show("card", current !== undefined);
    this.#show("keys", current !== undefined);
    this.#show("done", isDone);
    this.#show("stuck", isStuck);
    this.#show("loading", current === undefined && !isDone && !isStuck);
    if (current !== undefined) {
      this.#card(current);
    }
    if (isDone) {
      this.#done(queue);
    }
    this.#steps(queue);
    this.#order(queue.order);
    this.tick(queue);
    this.#announce(queue);
    this.#shown = current;
  }

  /**
   * What changes with time alone.
   *
   * @param {ReviewQueue} queue
   */
  tick(queue) {
    const { done, total, left } = queue;
    const meter = /** @type {HTMLProgressElement} */ (this.#slot("meter"));
    const pattern = left?.is_more ? this.texts.progress_more : this.texts.progress;
    const values = { done: this.#number(done), total: this.#number(Math.max(done, total)) };
    this.#write("progress", left === null ? "" : fill(pattern, values));
    meter.max = Math.max(1, done, total);
    meter.value = done;
    const rate = queue.rate.perMinute(performance.now());
    this.#write("pace", rate === null ? "" : fill(this.texts.pace, { pace: this.#number(rate) }));
  }

  /**
   * @param {string} text a sentence that the reviewer must not miss; empty when it is settled
   * @param {boolean} isLoggedOut
   */
  complain(text, isLoggedOut = false) {
    this.#write("message", text);
    this.#show("login", isLoggedOut);
  }

  // -------------------------------------------------------------------------------------------

  /** @param {Card} card */
  #card(card) {
    const { drawing } = card;
    if (card !== this.#shown) {
      const answer = labelText(drawing.answered, this.texts.labels);
      this.#picture("picture", card.picture, fill(this.texts.alt, { answer }));
      this.#picture("seen", card.seen, "");
      this.#slot("card").classList.toggle("is-audit", drawing.is_audit);
      this.#write("digit", drawing.answered === NOT_A_DIGIT ? "?" : answer);
      this.#write("read", this.#read(card));
      this.#write("percent", drawing.verdict === "not_a_digit" ? "" : drawing.percent);
      const verdict = this.#slot("verdict");
      verdict.className = `verdict ${drawing.verdict}`;
      verdict.textContent = drawing.verdict_text;
      this.#best(card);
      this.#line("suggestion", drawing.suggestion);
      this.#slot("suggestion").classList.toggle("disagrees", drawing.disagrees);
      this.#line("personal", drawing.personal);
      this.#write("model", drawing.model);
      const drawn = /** @type {HTMLTimeElement} */ (this.#slot("drawn"));
      drawn.dateTime = drawing.created_at;
      drawn.textContent = drawing.drawn;
      /** @type {HTMLAnchorElement} */ (this.#slot("link")).href = drawing.url;
      this.#show("audit", drawing.is_audit);
      this.#confirm(answer);
      /** @type {HTMLInputElement} */ (this.#slot("said-text")).value = drawing.note;
    }
    this.#said(drawing);
    this.#note(card);
  }

  /** @param {Card} card */
  #read({ drawing }) {
    const { answered, digit, verdict } = drawing;
    const isNumber = typeof answered === "string";
    return fill(this.texts.read[isNumber ? "digit" : verdict], { digit: isNumber ? answered : digit });
  }

  /** @param {string} answer */
  #confirm(answer) {
    const button = this.#slot("confirm");
    const key = document.createElement("kbd");
    key.textContent = "Enter";
    button.replaceChildren(fill(this.texts.confirm, { label: answer }), " ", key);
  }

  /** @param {Drawing} drawing */
  #said({ said, is_flagged: isFlagged }) {
    this.#write("said", said);
    this.#write("flag-word", isFlagged ? this.texts.flagged : this.texts.flag);
    this.#slot("flag").setAttribute("aria-pressed", String(isFlagged));
  }

  /** @param {Card} card */
  #note({ drawing, note, label, said }) {
    const text = note || (drawing.known?.text ?? "");
    this.#show("note", text !== "");
    this.#write("note-text", text);
    const stored = label?.value ?? null;
    this.#show("keep", stored !== null);
    this.#write("keep", stored === null ? "" : fill(this.texts.keep, { label: labelText(stored, this.texts.labels) }));
    const isOther = said !== null && said !== stored;
    this.#show("again", isOther);
    const again = stored === null ? this.texts.again : this.texts.overrule;
    this.#write("again", isOther ? fill(again, { label: labelText(said, this.texts.labels) }) : "");
  }

  /**
   * @param {string} name
   * @param {HTMLImageElement | null} image
   * @param {string} alt
   */
  #picture(name, image, alt) {
    if (image === null) {
      this.#write(name, this.texts.damaged);
      return;
    }
    image.alt = alt;
    this.#slot(name).replaceChildren(image);
  }

  /** @param {Card} card */
  #best({ drawing }) {
    this.#root.querySelectorAll("[data-slot=best]").forEach((row, index) => {
      const { digit, width, percent } = drawing.best[index];
      const meter = /** @type {HTMLMeterElement} */ (row.querySelector("meter"));
      const [name, , share] = /** @type {HTMLCollectionOf<HTMLElement>} */ (row.children);
      name.textContent = String(digit);
      meter.value = Number(width);
      meter.setAttribute("aria-label", String(digit));
      share.textContent = percent;
      row.classList.toggle("is-first", index === 0);
    });
  }

  /** @param {ReviewQueue} queue */
  #steps({ steps, unsent, isCutOff }) {
    this.#show("steps-section", steps.length > 0);
    const items = [...steps].reverse().map(({ card, value }) => {
      const item = document.createElement("li");
      const label = value === null ? this.texts.skipped : labelText(value, this.texts.labels);
      if (card.picture !== null) {
        const image = /** @type {HTMLImageElement} */ (card.picture.cloneNode());
        image.alt = "";
        item.append(image);
      }
      const text = document.createElement("span");
      text.textContent = value === NOT_A_DIGIT ? "✗" : value === null ? "–" : label;
      text.title = label;
      item.append(text);
      item.setAttribute("aria-label", label);
      return item;
    });
    this.#slot("steps").replaceChildren(...items);
    const kept = fill(this.texts.unsent, { count: this.#number(unsent) });
    this.#write("saving", unsent === 0 ? "" : isCutOff ? kept : this.texts.saving);
    /** @type {HTMLButtonElement} */ (this.#slot("undo")).setAttribute("aria-disabled", String(steps.length === 0));
  }

  /** @param {string} order */
  #order(order) {
    for (const button of this.#root.querySelectorAll("button[data-order]")) {
      const isChosen = button instanceof HTMLElement && button.dataset.order === order;
      button.setAttribute("aria-current", String(isChosen));
      if (isChosen) {
        this.#write("order-name", button.dataset.name ?? "");
        this.#write("order-why", button.querySelector("span")?.textContent ?? "");
      }
    }
    this.#show("other-order", order === "audit");
  }

  /** @param {ReviewQueue} queue */
  #done({ done, left }) {
    this.#write("summary", done === 0 ? "" : fill(this.texts.summary, { done: this.#number(done) }));
    this.#line("with-others", this.#counted(this.texts.with_others, left?.with_others ?? 0));
    this.#line("still-skipped", this.#counted(this.texts.still_skipped, left?.skipped ?? 0));
  }

  /**
   * @param {string} text
   * @param {number} count
   */
  #counted(text, count) {
    return count === 0 ? "" : fill(text, { count: this.#number(count) });
  }

  /**
   * Announce the answer to a new drawing to screen readers.
   *
   * @param {ReviewQueue} queue
   */
  #announce({ current, isDone }) {
    if (current !== undefined && current !== this.#shown) {
      const { drawing } = current;
      const pattern = drawing.is_audit ? this.texts.announcement_audit : this.texts.announcement;
      const read = fill(pattern, { read: this.#read(current), percent: drawing.percent });
      this.#write("announcement", `${read} ${drawing.known?.text ?? ""}`.trim());
    }
    if (isDone && this.#isBusyBefore) {
      this.#slot("done-title").focus();
    }
    this.#isBusyBefore = !isDone;
  }

  // -------------------------------------------------------------------------------------------

  /** @param {number} value */
  #number(value) {
    return this.numbers.format(value);
  }

  /** @param {string} name */
  #slot(name) {
    return slot(this.#root, name);
  }

  /**
   * @param {string} name
   * @param {string} text
   */
  #write(name, text) {
    const element = this.#slot(name);
    if (element.textContent !== text) {
      element.textContent = text;
    }
  }

  /**
   * @param {string} name
   * @param {boolean} isShown
   */
  #show(name, isShown) {
    this.#slot(name).hidden = !isShown;
  }

  /**
   * A line that is only there with a text.
   *
   * @param {string} name
   * @param {string} text
   */
  #line(name, text) {
    const line = this.#root.querySelector(`[data-slot="${name}-line"]`) ?? this.#slot(name);
    /** @type {HTMLElement} */ (line).hidden = text === "";
    this.#write(name, text);
  }
}
