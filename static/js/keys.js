/**
 * Keys that say what a drawing was: 0 to 9, X for no digit, Y for a right answer.
 *
 * Who talks to the computer types single letters by accident: the keys can be switched off, and stay off
 * (WCAG 2.1.4, Character Key Shortcuts).
 */

import { NOT_A_DIGIT } from "./labels.js";

/** @typedef {import("./feedback.js").FeedbackView} FeedbackView */

const STORED = "digitsite-keys";

/** @returns {boolean} whether the visitor has switched the keys off; storage may be blocked */
function isSwitchedOff() {
  try {
    return localStorage.getItem(STORED) === "off";
  } catch {
    return false;
  }
}

/** @param {boolean} isOn */
function store(isOn) {
  try {
    localStorage.setItem(STORED, isOn ? "on" : "off");
  } catch {
    // It holds until the page is left.
  }
}

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
    toggle.checked = !isSwitchedOff();
    toggle.addEventListener("change", () => store(toggle.checked));
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
