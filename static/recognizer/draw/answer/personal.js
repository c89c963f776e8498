/** Beside an answer that the visitor's own corrections decided: that they did, and by which drawing. */

import { slot } from "../../shared/dom.js";
import { localPath } from "../../shared/http.js";
import { answeredLabel, inSentence } from "../../shared/labels.js";
import { fill } from "../../shared/texts.js";

/** @typedef {import("../types.js").Prediction} Prediction */
/** @typedef {import("../types.js").Texts} Texts */

export class PersonalView {
  /**
   * @param {HTMLElement} element
   * @param {Texts} texts
   */
  constructor(element, texts) {
    this.element = element;
    this.texts = texts;
  }

  /**
   * @param {Prediction} prediction
   * @returns {string} the same as a sentence to be said aloud; empty where the network alone decided
   */
  show(prediction) {
    this.element.hidden = !prediction.personal;
    if (!prediction.personal) {
      return "";
    }
    const { personal } = this.texts;
    const label = answeredLabel(prediction);
    const alone = answeredLabel(prediction.network);
    slot(this.element, "personal-why").textContent = [
      fill(personal.why, { a_label: inSentence(this.texts, label) }),
      alone === label ? "" : fill(personal.alone, { a_label: inSentence(this.texts, alone) }),
    ].join(" ").trim();
    this.element.dataset.source = prediction.source;
    this.#picture("personal-drawing", prediction.image_url);
    this.#picture("personal-remembered", prediction.remembered_image_url);
    return personal.title;
  }

  reset() {
    this.element.hidden = true;
  }

  /**
   * @param {string} name
   * @param {string | null} url
   */
  #picture(name, url) {
    const figure = slot(this.element, name);
    const image = /** @type {HTMLImageElement} */ (figure.querySelector("img"));
    figure.hidden = url === null;
    if (url === null) {
      image.removeAttribute("src");
    } else {
      image.src = localPath(url);
    }
  }
}
