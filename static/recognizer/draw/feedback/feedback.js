/**
 * "Is this correct?": the buttons by which a visitor corrects an answer.
 *
 * The page has two of these: beside the answer, and in the dialog of an earlier drawing. Both show what `Suggestions`
 * holds. Without JavaScript the same form is posted as it stands.
 */

import { slot } from "../../shared/dom.js";
import { NOT_A_DIGIT, answeredLabel } from "../../shared/labels.js";
import { fill } from "../../shared/texts.js";

/** @typedef {import("./suggestions.js").Suggestions} Suggestions */
/** @typedef {import("../types.js").Suggestion} Suggestion */
/** @typedef {import("../types.js").Texts} Texts */

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
  const learning = isLearning ? "on" : "off";
  if (choice === null) {
    return state === "saved" ? feedback.undone : feedback.before[learning];
  }
  const said = feedback.said[choice];
  return state === "saved" ? fill(feedback.thanks[learning], { said }) : said;
}

/** @param {HTMLButtonElement} button */
function labelOf(button) {
  return button.name === "not_a_digit" ? NOT_A_DIGIT : Number(button.value);
}

export class FeedbackView {
  /**
   * @param {HTMLFormElement} form
   * @param {Suggestions} suggestions
   * @param {Texts} texts
   * @param {() => boolean} isLearning whether personal learning is on
   */
  constructor(form, suggestions, texts, isLearning) {
    this.form = form;
    this.suggestions = suggestions;
    this.texts = texts;
    this.isLearning = isLearning;
    this.right = /** @type {HTMLButtonElement} */ (slot(form, "right"));
    this.retry = /** @type {HTMLButtonElement} */ (slot(form, "retry"));
    this.withdraw = /** @type {HTMLButtonElement} */ (slot(form, "take-back"));
    /** @type {NodeListOf<HTMLButtonElement>} */
    this.choices = form.querySelectorAll("button[aria-pressed]");
    /** The prediction that this is about; null before there is one. */
    this.id = form.dataset.id || null;
    form.addEventListener("submit", (event) => this.#submitted(event));
    this.retry.addEventListener("click", () => this.id !== null && suggestions.retry(this.id));
    suggestions.onChange((id, suggestion) => this.#changed(id, suggestion));
    if (this.id !== null) {
      const pressed = form.querySelector("button[aria-pressed=true]");
      suggestions.learn(this.id, pressed instanceof HTMLButtonElement ? labelOf(pressed) : null);
    }
  }

  /**
   * Ask about this answer.
   *
   * @param {{ id: string, digit: number, verdict: string }} answer
   */
  show(answer) {
    const { texts } = this;
    const isRefused = answer.verdict === "not_a_digit";
    this.id = answer.id;
    this.form.dataset.id = answer.id;
    this.right.name = isRefused ? "not_a_digit" : "digit";
    this.right.value = isRefused ? "true" : String(answeredLabel(answer));
    slot(this.form, "question").textContent = texts.feedback.question;
    slot(this.form, "right-label").textContent = isRefused ? texts.feedback.right.refused : texts.feedback.right.shown;
    this.#render(this.suggestions.of(answer.id));
  }

  /** Update what is said about a choice, after personal learning was turned on or off. */
  refresh() {
    if (this.id !== null && this.suggestions.of(this.id).choice === null) {
      this.#render(this.suggestions.of(this.id));
    }
  }

  /** Say that the question is about an earlier state of the drawing. */
  markChanged() {
    slot(this.form, "question").textContent = this.texts.feedback.question_before;
  }

  /** Ask about nothing; a choice that is being sent still arrives. */
  reset() {
    this.id = null;
    delete this.form.dataset.id;
  }

  /** @param {number | null} label null: the answer is correct */
  choose(label) {
    if (this.id !== null) {
      this.suggestions.choose(this.id, label ?? labelOf(this.right));
    }
  }

  /** @param {SubmitEvent} event */
  #submitted(event) {
    event.preventDefault();
    const { submitter } = event;
    if (this.id === null || !(submitter instanceof HTMLButtonElement)) {
      return;
    }
    this.suggestions.choose(this.id, submitter === this.withdraw ? null : labelOf(submitter));
  }

  /**
   * @param {string} id
   * @param {Suggestion} suggestion
   */
  #changed(id, suggestion) {
    if (id === this.id) {
      this.#render(suggestion);
    }
  }

  /** @param {Suggestion} suggestion */
  #render(suggestion) {
    const { choice, saved, state, error } = suggestion;
    for (const button of this.choices) {
      button.setAttribute("aria-pressed", String(choice !== null && labelOf(button) === choice));
    }
    this.form.dataset.state = state;
    slot(this.form, "thanks").textContent = outcomeSentence(this.texts, suggestion, this.isLearning());
    slot(this.form, "feedback-error").textContent = error === "" ? "" : `${error} ${this.texts.feedback.still_here}`;
    this.#offer(this.retry, state === "failed");
    this.#offer(this.withdraw, saved !== null && state !== "failed");
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
      (pressed ?? this.right).focus();
    }
  }
}
