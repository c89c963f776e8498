/**
 * Shortcuts to correct an answer: 0 to 9, X for not a digit, Y for a correct answer.
 *
 * Speech input can type single letters by accident: the shortcuts can be turned off, and stay off (WCAG 2.1.4,
 * Character Key Shortcuts).
 */

import { choice, choose } from "../offline/storage.js";
import { NOT_A_DIGIT } from "../../shared/labels.js";

/** @typedef {import("../answer/number.js").NumberView} NumberView */
/** @typedef {import("./feedback.js").FeedbackView} FeedbackView */

/**
 * @param {KeyboardEvent} event
 * @returns {number | "correct" | null} the label that the key stands for
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
  return { x: NOT_A_DIGIT, y: /** @type {const} */ ("correct") }[key.toLowerCase()] ?? null;
}

export class AnswerKeys {
  /** @param {HTMLInputElement} toggle */
  constructor(toggle) {
    this.toggle = toggle;
    toggle.checked = choice("keys", true);
    toggle.addEventListener("change", () => choose("keys", toggle.checked));
  }

  /** Whether single characters are shortcuts. */
  get isOn() {
    return this.toggle.checked;
  }

  /**
   * @param {KeyboardEvent} event
   * @param {FeedbackView} view the question that the key answers
   * @param {NumberView | null} number shown beside it
   * @returns {boolean} whether the key chose a label
   */
  take(event, view, number) {
    const said = meaning(event);
    if (!this.toggle.checked || said === null || !view.isOpen) {
      return false;
    }
    if (number?.isShown && typeof said === "number" && said !== NOT_A_DIGIT) {
      event.preventDefault();
      number.type(said);
    } else {
      view.choose(said === "correct" ? null : said);
    }
    return true;
  }
}
