/** The visitor's side of the learning loop: correcting an answer, why it was given, personal learning. */

import { byId } from "../../shared/dom.js";
import { EntryDialog } from "./entry_dialog.js";
import { FeedbackView, outcomeSentence } from "./feedback.js";
import { AnswerKeys } from "./answer_keys.js";
import { PersonalLearningView } from "./personal_learning.js";
import { PersonalView } from "../answer/personal.js";
import { Suggestions } from "./suggestions.js";

/** @typedef {import("../api.js").Api} Api */
/** @typedef {import("../types.js").Entry} Entry */
/** @typedef {import("../types.js").Prediction} Prediction */
/** @typedef {import("../types.js").Suggestion} Suggestion */
/** @typedef {import("../types.js").Texts} Texts */

export class Learning {
  /**
   * @param {Api} api
   * @param {Texts} texts
   * @param {{ announce: (sentence: string) => void, learned: () => void }} page `learned` is called when the same
   *   drawing may get another answer from now on
   */
  constructor(api, texts, { announce, learned }) {
    this.texts = texts;
    this.announce = announce;
    this.learned = learned;
    this.suggestions = new Suggestions(api);
    this.personalLearning = new PersonalLearningView(byId("memory", HTMLElement), api, texts, {
      announce,
      changed: () => this.#switched(),
    });
    this.personal = new PersonalView(byId("personal", HTMLElement));
    this.feedback = this.#feedback("feedback");
    this.opened = new EntryDialog(byId("opened", HTMLDialogElement), this.#feedback("opened-feedback"));
    this.keys = new AnswerKeys(byId("answer-keys", HTMLInputElement));
    this.isChanged = false;
    this.suggestions.onChange((id, suggestion) => this.#said(id, suggestion));
  }

  /**
   * Ask whether this answer is correct, and show why it was given.
   *
   * @param {Prediction} prediction
   */
  show(prediction) {
    this.isChanged = false;
    this.feedback.show(prediction);
    this.personal.show(prediction);
  }

  /** The answer has been cleared. */
  reset() {
    this.isChanged = false;
    this.feedback.reset();
    this.personal.reset();
  }

  /** The answer is for an earlier state of the drawing: a key could be meant for either. */
  markChanged() {
    this.isChanged = true;
    this.feedback.markChanged();
  }

  /** @param {Entry} entry of the history */
  open(entry) {
    this.opened.open(entry);
  }

  /** Close the entry that is open. */
  close() {
    this.opened.close();
  }

  get isModal() {
    return this.opened.isOpen;
  }

  /**
   * @param {KeyboardEvent} event
   * @returns {boolean} whether the key chose a label
   */
  takeKey(event) {
    if (this.isModal) {
      return this.keys.take(event, this.opened.feedback);
    }
    return !this.isChanged && this.keys.take(event, this.feedback);
  }

  /** @param {string} id of a form */
  #feedback(id) {
    return new FeedbackView(byId(id, HTMLFormElement), this.suggestions, this.texts, () => this.personalLearning.enabled);
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
    if (suggestion.state === "saved") {
      this.learned();
      this.announce(outcomeSentence(this.texts, suggestion, this.personalLearning.enabled));
      this.personalLearning.refresh();
    } else if (suggestion.state === "failed" && id !== this.feedback.id && id !== this.opened.feedback.id) {
      // The page no longer shows the question, so it can't show its error; the history does.
      this.announce(suggestion.error);
    }
  }
}
