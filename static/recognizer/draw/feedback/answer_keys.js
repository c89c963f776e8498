/**
 * Keys that say what a drawing was: 0 to 9, X for no digit, Y for a right answer.
 *
 * Who talks to the computer types single letters by accident: the keys can be switched off, and stay off
 * (WCAG 2.1.4, Character Key Shortcuts).
 */

import { choice, choose } from "../offline/storage.js";
import { NOT_A_DIGIT } from "../../shared/labels.js";

/** @typedef {import("./feedback.js").FeedbackView} FeedbackView */

/**
 * @param {KeyboardEvent} event
 * @returns {number | "right" | null} what the key says
 */
function meaning({ key, code, shiftKey }) {
  if (/^[0-9]$/.test(key)) {
    return Number(key);
  }
  // The row of digits gives other characters where digits need Shift, as in France.
  const digit = shiftKey ? null : code.match(/^Digit([0-9])$/);
  if (digit !== null) {
    return Number(digit[1]);
  }
  return { x: NOT_A_DIGIT, y: /** @type {const} */ ("right") }[key.toLowerCase()] ?? null;
}

export class AnswerKeys {
  /** @param {HTMLInputElement} toggle */
  constructor(toggle) {
    this.toggle = toggle;
    toggle.checked = choice("keys", true);
    toggle.addEventListener("change", () => choose("keys", toggle.checked));
  }

  /** Whether single characters are keys. */
  get isOn() {
    return this.toggle.checked;
  }

  /**
   * @param {KeyboardEvent} event
   * @param {FeedbackView} view what the key is meant for
   * @returns {boolean} whether the key said something
   */
  take(event, view) {
    const said = meaning(event);
    if (!this.toggle.checked || said === null || view.id === null) {
      return false;
    }
    view.choose(said === "right" ? null : said);
    return true;
  }
}
