/** Below an answer that the visitor's own corrections decided: that they did, by which drawing, and how to undo it. */

import { slot } from "../../shared/dom.js";
import { localPath } from "../../shared/http.js";

/** @typedef {import("../feedback/suggestions.js").Suggestions} Suggestions */
/** @typedef {import("../types.js").Prediction} Prediction */
/** @typedef {import("../types.js").Preview} Preview */

export class PersonalView {
  /**
   * @param {HTMLFormElement} element
   * @param {Suggestions} suggestions
   */
  constructor(element, suggestions) {
    this.element = element;
    /** The drawing whose correction decided the answer. */
    this.remembered = element.dataset.remembered ?? "";
    element.addEventListener("submit", (event) => {
      event.preventDefault();
      suggestions.choose(this.remembered, null);
    });
    suggestions.onChange((id, { state, error }) => {
      if (id === this.remembered && !element.hidden) {
        slot(element, "personal-error").textContent = error;
        element.hidden = state === "saved";
      }
    });
  }

  /** @param {Prediction | Preview} answer that the visitor's corrections decided */
  show({ words, remembered_id: remembered, remembered_image_url: url }) {
    this.element.hidden = false;
    this.remembered = remembered ?? "";
    slot(this.element, "personal-why").textContent = words.personal;
    slot(this.element, "personal-error").textContent = "";
    slot(this.element, "personal-undo").hidden = remembered === null;
    const image = /** @type {HTMLImageElement} */ (slot(this.element, "personal-remembered"));
    image.hidden = url === null;
    if (url !== null) {
      image.src = localPath(url);
    }
  }
}
