/**
 * The buttons by which a visitor says what a drawing shows.
 *
 * The page has two of these: beside the answer, and in the dialog of an earlier drawing. Both show what `Suggestions`
 * holds. Without JavaScript the same form is posted as it stands.
 */

import { slot } from "../../shared/dom.js";
import { NOT_A_DIGIT, answeredLabel } from "../../shared/labels.js";
import { fill } from "../../shared/texts.js";

/** @typedef {import("./suggestions.js").Suggestions} Suggestions */
/** @typedef {import("../types.js").Label} Label */
/** @typedef {import("../types.js").Suggestion} Suggestion */
/** @typedef {import("../types.js").Texts} Texts */

/** An answer of the site. @typedef {{ digit: number, verdict: string, number: string | null }} Answer */

/**
 * The outcome of a choice in words; empty if it failed, because the error is shown instead.
 *
 * @param {Texts} texts
 * @param {Suggestion} suggestion
 * @param {boolean} isLearning whether personal learning is on
 */
export function outcomeSentence({ feedback }, { choice, state }, isLearning) {
  if (state === "failed") {
    return "";
  }
  if (state === "sending") {
    return feedback.sending;
  }
  if (choice === null) {
    return state === "saved" ? feedback.undone : feedback.stored;
  }
  const isNumber = typeof choice === "string";
  const said = isNumber ? fill(feedback.said_number, { number: choice }) : feedback.said[choice];
  // What is learned from a number are its digits, after a review.
  return state === "saved" ? fill(feedback.thanks[isLearning && !isNumber ? "on" : "off"], { said }) : said;
}

/**
 * @param {HTMLButtonElement} button
 * @returns {Label}
 */
function labelOf(button) {
  const digit = button.value.length > 1 ? button.value : Number(button.value);
  return button.name === "not_a_digit" ? NOT_A_DIGIT : digit;
}

export class FeedbackView {
  /**
   * @param {HTMLFormElement} form
   * @param {Suggestions} suggestions
   * @param {Texts} texts
   * @param {object} page
   * @param {() => boolean} page.isLearning whether personal learning is on
   * @param {(label: Label) => void} page.chosen called for a drawing that is not stored yet
   */
  constructor(form, suggestions, texts, { isLearning, chosen }) {
    this.form = form;
    this.suggestions = suggestions;
    this.texts = texts;
    this.isLearning = isLearning;
    this.chosen = chosen;
    this.choicesOf = /** @type {HTMLFieldSetElement} */ (slot(form, "choices"));
    this.right = /** @type {HTMLButtonElement} */ (slot(form, "right"));
    this.retry = /** @type {HTMLButtonElement} */ (slot(form, "retry"));
    this.withdraw = /** @type {HTMLButtonElement} */ (slot(form, "take-back"));
    /** @type {NodeListOf<HTMLButtonElement>} */
    this.choices = form.querySelectorAll("button[aria-pressed]");
    /** The stored prediction that this is about; null if there is none. */
    this.id = form.dataset.id || null;
    /** Of a drawing that is being stored, the key of its choice. @type {string | null} */
    this.key = null;
    form.addEventListener("submit", (event) => this.#submitted(event));
    this.retry.addEventListener("click", () => this.id !== null && suggestions.retry(this.id));
    suggestions.onChange((id, suggestion) => this.#changed(id, suggestion));
    if (this.id !== null) {
      const pressed = form.querySelector("button[aria-pressed=true]");
      suggestions.learn(this.id, pressed instanceof HTMLButtonElement ? labelOf(pressed) : null);
    }
  }

  /** Whether a label can be chosen. */
  get isOpen() {
    return !this.choicesOf.disabled;
  }

  /**
   * Ask about a stored answer.
   *
   * @param {{ id: string } & Answer} answer
   */
  show(answer) {
    this.#ask(answer.id, null, answer);
    this.#render(this.suggestions.of(answer.id));
  }

  /**
   * Ask about a drawing that is not stored yet.
   *
   * @param {Answer | null} guess null while there is none
   * @param {string | null} key of its choice, while it is being stored
   */
  offer(guess, key = null) {
    this.#ask(null, key, guess);
    if (key !== null) {
      this.#render(this.suggestions.of(key));
    } else {
      this.#clear(this.texts.feedback.before);
    }
  }

  /** Ask about nothing; a choice that is being sent still arrives. */
  reset() {
    this.#ask(null, null, null);
    this.choicesOf.disabled = true;
    this.#clear("");
  }

  /** Update what is said about a choice, after personal learning was turned on or off. */
  refresh() {
    if (this.id !== null) {
      this.#render(this.suggestions.of(this.id));
    }
  }

  /** @param {Label | null} label null: the answer is correct */
  choose(label) {
    const answered = /** @type {HTMLButtonElement | null} */ (this.form.querySelector("button[data-answered]"));
    const said = label ?? (answered === null ? null : labelOf(answered));
    if (this.isOpen && said !== null) {
      this.#chosen(said);
    }
  }

  /** @param {Label} label */
  say(label) {
    if (this.isOpen) {
      this.#chosen(label);
    }
  }

  /** @param {Label} label */
  #chosen(label) {
    if (this.id === null) {
      this.chosen(label);
    } else {
      this.suggestions.choose(this.id, label);
    }
  }

  /**
   * @param {string | null} id
   * @param {string | null} key
   * @param {Answer | null} answer
   */
  #ask(id, key, answer) {
    this.id = id;
    this.key = key;
    this.choicesOf.disabled = false;
    if (id === null) {
      delete this.form.dataset.id;
    } else {
      this.form.dataset.id = id;
    }
    const label = answer === null ? null : answeredLabel(answer);
    // "Not a digit" has a button of its own.
    this.right.hidden = label === NOT_A_DIGIT;
    this.right.disabled = label === null || label === NOT_A_DIGIT;
    this.right.value = label === null ? "" : String(label);
    for (const button of this.choices) {
      // A number has no button but this one.
      const isMarked = button !== this.right || typeof label === "string";
      button.toggleAttribute("data-answered", isMarked && labelOf(button) === label);
    }
  }

  /** @param {SubmitEvent} event */
  #submitted(event) {
    event.preventDefault();
    const { submitter } = event;
    if (!(submitter instanceof HTMLButtonElement)) {
      return;
    }
    if (submitter === this.withdraw) {
      if (this.id !== null) {
        this.suggestions.choose(this.id, null);
      }
    } else {
      this.#chosen(labelOf(submitter));
    }
  }

  /**
   * @param {string} id
   * @param {Suggestion} suggestion
   */
  #changed(id, suggestion) {
    if (id === (this.id ?? this.key)) {
      this.#render(suggestion);
    }
  }

  /** @param {Suggestion} suggestion */
  #render(suggestion) {
    const { choice, saved, state, error } = suggestion;
    for (const button of this.choices) {
      const isPressed = choice !== null && !(button === this.right && button.disabled) && labelOf(button) === choice;
      button.setAttribute("aria-pressed", String(isPressed));
    }
    this.form.dataset.state = state;
    const isWaiting = this.id === null && choice === null && state === "idle";
    slot(this.form, "thanks").textContent = isWaiting ? "" : outcomeSentence(this.texts, suggestion, this.isLearning());
    slot(this.form, "feedback-error").textContent = error === "" ? "" : `${error} ${this.texts.feedback.still_here}`;
    this.#offer(this.retry, state === "failed");
    this.#offer(this.withdraw, saved !== null && state !== "failed");
  }

  /** @param {string} sentence */
  #clear(sentence) {
    this.#render({ choice: null, saved: null, note: "", state: "idle", error: "" });
    slot(this.form, "thanks").textContent = sentence;
  }

  /**
   * Show or hide a button; the focus that it may have goes where the choice is.
   *
   * @param {HTMLButtonElement} button
   * @param {boolean} isOffered
   */
  #offer(button, isOffered) {
    const hadFocus = button === document.activeElement;
    button.hidden = !isOffered;
    if (hadFocus && !isOffered) {
      const pressed = /** @type {HTMLButtonElement | null} */ (this.form.querySelector("button[aria-pressed=true]"));
      (pressed ?? this.choices[0]).focus();
    }
  }
}
