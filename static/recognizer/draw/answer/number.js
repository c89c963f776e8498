/** A number's digits below the answer: one field each, in which a wrong digit is typed over, and one for the whole. */

import { slot } from "../../shared/dom.js";

/** @typedef {import("../types.js").Label} Label */

export class NumberView {
  /** That the site answers; null if it answers none. @type {string | null} */
  #answered;
  /** @type {(label: Label) => void} */
  #chosen = () => undefined;

  /** @param {HTMLFormElement} form */
  constructor(form) {
    this.form = form;
    this.parts = slot(form, "parts");
    this.whole = /** @type {HTMLInputElement} */ (slot(form, "whole"));
    this.#answered = form.dataset.number || null;
    this.#write(this.whole.defaultValue);
    form.addEventListener("submit", (event) => this.#submitted(event));
  }

  get isShown() {
    return !this.form.hidden;
  }

  /** @param {(label: Label) => void} listener called with what the visitor says that the drawing shows */
  onChosen(listener) {
    this.#chosen = listener;
  }

  /** @param {string | null} number that the site answers */
  show(number) {
    this.#answered = number;
    this.form.hidden = number === null;
    if (number === null) {
      this.#write("");
    }
  }

  /**
   * Show what the visitor says that the drawing shows, or else the answer.
   *
   * @param {Label | null} label
   */
  said(label) {
    if (this.isShown) {
      this.#write(typeof label === "string" ? label : (this.#answered ?? ""));
    }
  }

  /**
   * Begin to type the number.
   *
   * @param {number} digit
   */
  type(digit) {
    this.whole.value = String(digit);
    this.whole.focus();
  }

  /** @param {SubmitEvent} event */
  #submitted(event) {
    event.preventDefault();
    this.whole.blur();
    this.#chosen(this.whole.value.length > 1 ? this.whole.value : Number(this.whole.value));
  }

  /** @param {string} number */
  #write(number) {
    // The field that the visitor types in stays.
    const fields = this.#fields();
    if (fields.length !== number.length || fields.some((field) => field.readOnly)) {
      this.parts.replaceChildren(...[...number].map((_digit, index) => this.#field(index, number.length)));
    }
    this.#fields().forEach((field, index) => {
      field.value = number[index];
    });
    this.whole.value = number;
  }

  #fields() {
    return /** @type {HTMLInputElement[]} */ ([...this.parts.children]);
  }

  /**
   * @param {number} index
   * @param {number} count
   */
  #field(index, count) {
    const field = document.createElement("input");
    field.className = "number-part";
    field.inputMode = "numeric";
    field.autocomplete = "off";
    const name = this.form.dataset.label ?? "";
    field.ariaLabel = name.replace("{place}", String(index + 1)).replace("{count}", String(count));
    field.addEventListener("focus", () => field.select());
    field.addEventListener("input", () => this.#typed(field));
    return field;
  }

  /** @param {HTMLInputElement} field */
  #typed(field) {
    const fields = this.#fields();
    const before = this.whole.value;
    field.value = field.value.replace(/[^0-9]/g, "").slice(-1) || before[fields.indexOf(field)];
    field.select();
    const number = fields.map(({ value }) => value).join("");
    if (number !== before) {
      this.whole.value = number;
      this.#chosen(number);
    }
  }
}
