/** The answer: the digit, how sure the model is, the ten probabilities, and what it saw. */

import { slot } from "../../shared/dom.js";
import { localPath } from "../../shared/http.js";

/** @typedef {import("./number.js").NumberView} NumberView */
/** @typedef {import("../types.js").Prediction} Prediction */
/** @typedef {import("../types.js").Preview} Preview */
/** @typedef {import("../types.js").Texts} Texts */

export class AnswerView {
  /**
   * @param {HTMLElement} element
   * @param {Texts} texts
   * @param {NumberView} number
   */
  constructor(element, texts, number) {
    this.element = element;
    this.texts = texts;
    this.number = number;
  }

  /** @param {boolean} busy */
  setBusy(busy) {
    this.element.setAttribute("aria-busy", String(busy));
  }

  /**
   * Show the answer to a drawing that is stored.
   *
   * @param {Prediction} prediction
   * @returns {string} the same in one sentence, to be said aloud
   */
  show(prediction) {
    const said = this.#fill(prediction, localPath(prediction.model_input_url));
    this.element.removeAttribute("data-live");
    this.number.show(prediction.number);
    const { id, image_url: image, digit, verdict } = prediction;
    this.element.dataset.id = id;
    /** @type {HTMLAnchorElement} */ (slot(this.element, "link")).href = `?prediction=${id}`;
    const download = /** @type {HTMLAnchorElement} */ (slot(this.element, "download"));
    download.href = localPath(image);
    download.download = verdict === "not_a_digit" ? "drawing.png" : `digit-${digit}.png`;
    slot(this.element, "actions").inert = false;
    this.showPublic(null);
    return said;
  }

  /**
   * Show the public link of the drawing; null if it has none.
   *
   * @param {string | null} url
   */
  showPublic(url) {
    const button = /** @type {HTMLButtonElement} */ (slot(this.element, "public-switch"));
    button.textContent = this.texts.public[url === null ? "on" : "off"];
    button.value = url === null ? "on" : "off";
    slot(this.element, "public-link").hidden = url === null;
    slot(this.element, "public-error").textContent = "";
    /** @type {HTMLInputElement} */ (slot(this.element, "public-url")).value = url ?? "";
  }

  /**
   * Show a guess at a drawing that is not stored yet.
   *
   * @param {Preview} preview
   */
  guess(preview) {
    this.#fill(preview, preview.model_input);
    this.number.show(preview.number);
    this.element.dataset.live = "";
    delete this.element.dataset.id;
    slot(this.element, "actions").inert = true;
  }

  /**
   * @param {Prediction | Preview} answer
   * @param {string} seen address of what the model saw
   * @returns {string} the answer in one sentence
   */
  #fill({ digit, number, verdict, probabilities, words, model_version: model }, seen) {
    const isRefused = verdict === "not_a_digit" && number === null;
    this.element.dataset.verdict = verdict;
    this.element.toggleAttribute("data-number", number !== null);
    const said = isRefused ? "?" : (number ?? String(digit));
    this.#write(said, words.confidence, words.percent, words.sentence);
    slot(this.element, "second").textContent = isRefused ? this.texts.advice : words.second;
    slot(this.element, "model").textContent = model;
    slot(this.element, "model-line").hidden = false;
    this.#bars(words.bars, probabilities, isRefused ? -1 : digit);
    slot(this.element, "bars-heading").textContent = words.bars_heading;
    this.#seen(seen);
    return words.announcement;
  }

  /**
   * Back to how the page began.
   *
   * @param {string} prompt what to do
   */
  reset(prompt) {
    this.element.dataset.verdict = "none";
    this.element.removeAttribute("data-number");
    this.number.show(null);
    this.element.removeAttribute("data-live");
    delete this.element.dataset.id;
    slot(this.element, "actions").inert = true;
    slot(this.element, "second").textContent = "";
    this.#write("", "", "", prompt);
    slot(this.element, "model-line").hidden = true;
    this.#bars([], [], -1);
    slot(this.element, "bars-heading").textContent = this.texts.bars_heading;
    this.#seen(null);
  }

  /** Say that the answer is for an earlier state of the drawing. */
  markChanged() {
    if (this.element.dataset.verdict !== "none") {
      this.element.dataset.changed = "";
    }
  }

  /**
   * @param {string} digit
   * @param {string} word
   * @param {string} percent
   * @param {string} sentence
   */
  #write(digit, word, percent, sentence) {
    delete this.element.dataset.changed;
    slot(this.element, "digit").textContent = digit;
    slot(this.element, "word").textContent = word;
    slot(this.element, "percent").textContent = percent;
    slot(this.element, "sentence").textContent = sentence;
  }

  /**
   * @param {string[]} percentages empty for bars that say nothing
   * @param {number[]} probabilities
   * @param {number} best -1 where none is
   */
  #bars(percentages, probabilities, best) {
    const list = slot(this.element, "bars");
    list.querySelectorAll(".bar").forEach((bar, digit) => {
      const width = percentages.length > 0 ? 100 * probabilities[digit] : 0;
      bar.classList.toggle("bar--best", digit === best);
      bar.querySelector("rect")?.setAttribute("width", width.toFixed(2));
      slot(bar, "value").textContent = percentages[digit] ?? "";
    });
  }

  /** @param {string | null} url */
  #seen(url) {
    const image = /** @type {HTMLImageElement} */ (slot(this.element, "seen"));
    image.hidden = url === null;
    if (url === null) {
      image.removeAttribute("src");
    } else {
      image.src = url;
    }
  }
}
