/** Beside an answer that the visitor's own corrections decided: that they did, and by which drawing. */

import { slot } from "../../shared/dom.js";
import { localPath } from "../../shared/http.js";

/** @typedef {import("../types.js").Prediction} Prediction */

export class PersonalView {
  /** @param {HTMLElement} element */
  constructor(element) {
    this.element = element;
  }

  /** @param {Prediction} prediction */
  show({ personal, words, source, image_url: image, remembered_image_url: remembered }) {
    this.element.hidden = !personal;
    if (personal) {
      slot(this.element, "personal-why").textContent = words.personal;
      this.element.dataset.source = source;
      this.#picture("personal-drawing", image);
      this.#picture("personal-remembered", remembered);
    }
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
