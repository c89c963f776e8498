/** A drawing of several digits: the field in which a reviewer types the number, and what such a label is to the site. */

import { NOT_A_DIGIT } from "../../shared/labels.js";
import { byId } from "../../shared/dom.js";

/** @typedef {import("./types.js").Label} Label */

/**
 * A label as the site takes it: a number is no single digit.
 *
 * @param {Label} value
 * @returns {{ label: number, number?: string }}
 */
export function asSent(value) {
  return typeof value === "string" ? { label: NOT_A_DIGIT, number: value } : { label: value };
}

/**
 * @param {Label} value
 * @param {string[]} labels the texts of all others
 */
export function labelText(value, labels) {
  return typeof value === "string" ? value : labels[value];
}

export class NumberField {
  /** @param {(number: string) => void} typed called with a number of two to eight digits */
  constructor(typed) {
    this.form = byId("number", HTMLFormElement);
    this.field = /** @type {HTMLInputElement} */ (this.form.elements.namedItem("number"));
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.close();
      typed(this.field.value);
    });
    this.form.addEventListener("keydown", (event) => event.key === "Escape" && this.close());
  }

  /** @param {string} number to begin with */
  open(number) {
    this.form.hidden = false;
    this.field.value = number;
    this.field.select();
    this.field.focus();
  }

  close() {
    this.field.blur();
    this.form.hidden = true;
  }
}
