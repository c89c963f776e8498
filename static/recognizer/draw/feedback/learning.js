/** The visitor's side of the learning loop: correcting an answer, why it was given, personal learning. */

import { byId, slot } from "../../shared/dom.js";
import { FeedbackView, outcomeSentence } from "./feedback.js";
import { AnswerKeys } from "./answer_keys.js";
import { Suggestions } from "./suggestions.js";
import { suggestedLabel } from "../../shared/labels.js";
import { lazily, loadOnUse } from "../../shared/lazy.js";

/** @typedef {import("../api.js").Api} Api */
/** @typedef {import("../types.js").Job} Job */
/** @typedef {import("../types.js").Label} Label */
/** @typedef {import("../answer/number.js").NumberView} NumberView */
/** @typedef {import("../types.js").Prediction} Prediction */
/** @typedef {import("../types.js").Preview} Preview */
/** @typedef {import("../types.js").Suggestion} Suggestion */
/** @typedef {import("../types.js").Texts} Texts */

export class Learning {
  /**
   * @param {Api} api
   * @param {Texts} texts
   * @param {NumberView} number
   * @param {object} page
   * @param {(sentence: string) => void} page.announce
   * @param {(label: Label) => void} page.chosen called with the label of a drawing that is not stored yet
   * @param {() => void} page.learned called when the same drawing may get another answer from now on
   */
  constructor(api, texts, number, { announce, chosen, learned }) {
    this.texts = texts;
    this.announce = announce;
    this.chosen = chosen;
    this.learned = learned;
    this.memory = byId("memory", HTMLElement);
    this.personalLearning = lazily(async () => {
      const { PersonalLearningView } = await import("./personal_learning.js");
      return new PersonalLearningView(this.memory, api, texts, { announce, changed: () => this.#switched() });
    });
    loadOnUse(this.memory, this.personalLearning, () => {
      slot(this.memory, "memory-error").textContent = texts.error.network;
    });
    this.suggestions = new Suggestions(api);
    /** What says that an answer is from the visitor's corrections. */
    this.reason = byId("personal", HTMLFormElement);
    this.personal = lazily(async () => {
      const { PersonalView } = await import("../answer/personal.js");
      return new PersonalView(this.reason, this.suggestions);
    });
    loadOnUse(this.reason, this.personal, () => {
      slot(this.reason, "personal-error").textContent = texts.error.network;
    });
    /** The answer that the reason is for. @type {Prediction | Preview | null} */
    this.explained = null;
    this.feedback = this.feedbackIn("feedback");
    this.number = number;
    number.onChosen((label) => this.feedback.say(label));
    /** The one in the dialog of an earlier drawing, once it has been loaded. @type {FeedbackView | null} */
    this.opened = null;
    this.keys = new AnswerKeys(byId("answer-keys", HTMLInputElement));
    this.suggestions.onChange((id, suggestion) => this.#said(id, suggestion));
  }

  get isLearning() {
    return this.memory.dataset.enabled === "true";
  }

  /** @param {string} id of a form */
  feedbackIn(id) {
    return new FeedbackView(byId(id, HTMLFormElement), this.suggestions, this.texts, {
      isLearning: () => this.isLearning,
      chosen: (label) => this.chosen(label),
    });
  }

  /**
   * Ask what a stored drawing shows, and say why its answer was given.
   *
   * @param {Prediction} prediction
   */
  show(prediction) {
    this.feedback.show(prediction);
    this.number.said(this.suggestions.of(prediction.id).choice);
    this.#explain(prediction);
  }

  /**
   * Ask what a drawing shows that is not stored yet.
   *
   * @param {Preview | null} guess the site's answer to it, if there is one
   * @param {Job} [job] that stores it
   */
  offer(guess, job) {
    this.feedback.offer(guess, job?.key);
    this.number.said(job?.label ?? null);
    this.#explain(guess);
  }

  /** There is no drawing. */
  reset() {
    this.feedback.reset();
    this.#explain(null);
  }

  /** @param {Prediction | Preview | null} answer */
  async #explain(answer) {
    this.explained = answer;
    if (!answer?.personal) {
      this.reason.hidden = true;
      return;
    }
    // What can't be loaded only says why.
    const view = await this.personal().catch(() => null);
    if (this.explained === answer) {
      view?.show(answer);
    }
  }

  /**
   * A drawing is stored, and has an id by which it can be corrected.
   *
   * @param {Job} job
   * @param {Prediction} prediction
   */
  stored({ label }, prediction) {
    this.suggestions.learn(prediction.id, suggestedLabel(prediction), prediction.words.suggestion);
    this.suggestions.release(prediction.id, label);
  }

  /** How many drawings are remembered has changed. */
  async refresh() {
    // If it can't be loaded, only the count is out of date.
    (await this.personalLearning().catch(() => null))?.refresh();
  }

  /**
   * @param {KeyboardEvent} event
   * @returns {boolean} whether the key chose a label
   */
  takeKey(event) {
    const isModal = document.querySelector("dialog[open]") !== null;
    const asked = isModal ? this.opened : this.feedback;
    return asked !== null && this.keys.take(event, asked, isModal ? null : this.number);
  }

  #switched() {
    this.feedback.refresh();
    this.learned();
  }

  /**
   * @param {string} id
   * @param {Suggestion} suggestion
   */
  #said(id, suggestion) {
    if (id === (this.feedback.id ?? this.feedback.key)) {
      this.number.said(suggestion.choice);
    }
    if (suggestion.state === "saved") {
      this.learned();
      this.announce(outcomeSentence(this.texts, suggestion, this.isLearning));
      this.refresh();
    } else if (suggestion.state === "failed" && id !== this.feedback.id && id !== this.opened?.id) {
      // The page no longer shows the question, so it can't show its error; the history does.
      this.announce(suggestion.error);
    }
  }
}
