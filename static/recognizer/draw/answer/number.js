/** A number's digits below the answer: one field each, in which a wrong digit is typed over. */

import { slot } from "../../shared/dom.js";
import { RequestError } from "../../shared/http.js";

/** @typedef {import("../types.js").Answered} Answered */

export class NumberView {
  /** @type {string | null} */
  #id = null;

  /**
   * @param {ParentNode} root
   * @param {(id: string, number: string) => Promise<unknown>} save
   */
  constructor(root, save) {
    this.element = slot(root, "number");
    this.parts = slot(this.element, "parts");
    this.note = slot(this.element, "number-note");
    this.save = save;
  }

  /**
   * Show the digits of an answer, or nothing if it is not a number.
   *
   * @param {Answered | null} answer
   * @param {string | null} [id] that of the stored drawing; without one the digits can't be corrected
   */
  show(answer, id = null) {
    const parts = answer?.parts ?? [];
    this.#id = id;
    this.element.hidden = parts.length === 0;
    this.note.textContent = "";
    this.parts.replaceChildren(...parts.map(({ digit }, index) => this.#field(digit, index, parts.length)));
  }

  /**
   * @param {number} digit
   * @param {number} index
   * @param {number} count
   */
  #field(digit, index, count) {
    const field = document.createElement("input");
    field.className = "number-part";
    field.inputMode = "numeric";
    field.autocomplete = "off";
    field.value = String(digit);
    field.readOnly = this.#id === null;
    const name = this.element.dataset.label ?? "";
    field.ariaLabel = name.replace("{place}", String(index + 1)).replace("{count}", String(count));
    field.addEventListener("focus", () => field.select());
    // A shortcut of the page must not take the digit.
    field.addEventListener("keydown", (event) => event.stopPropagation());
    let last = field.value;
    field.addEventListener("input", () => {
      const typed = field.value.replace(/[^0-9]/g, "").slice(-1) || last;
      field.value = typed;
      field.select();
      if (typed !== last) {
        last = typed;
        void this.#correct();
      }
    });
    return field;
  }

  async #correct() {
    const id = this.#id;
    if (id === null) {
      return;
    }
    const fields = /** @type {HTMLInputElement[]} */ ([...this.parts.children]);
    const number = fields.map((field) => field.value).join("");
    try {
      await this.save(id, number);
      this.note.textContent = (this.element.dataset.saved ?? "").replace("{number}", number);
    } catch (error) {
      if (!(error instanceof RequestError)) {
        throw error;
      }
      this.note.textContent = error.message;
    }
  }
}
