/**
 * The visitor's side of the learning loop: whether an answer was right, why it was given, what is remembered.
 *
 * The page shows it an answer, and hears of it what to announce and that the site has learned.
 */

import { byId } from "../../shared/dom.js";
import { EntryDialog } from "./entry_dialog.js";
import { FeedbackView, outcomeSentence } from "./feedback.js";
import { AnswerKeys } from "./answer_keys.js";
import { MemoryView } from "./memory.js";
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
    this.memory = new MemoryView(byId("memory", HTMLElement), api, texts, {
      announce,
      changed: () => this.#remembered(),
    });
    this.personal = new PersonalView(byId("personal", HTMLElement));
    this.feedback = this.#feedback("feedback");
    this.opened = new EntryDialog(byId("opened", HTMLDialogElement), this.#feedback("opened-feedback"));
    this.keys = new AnswerKeys(byId("answer-keys", HTMLInputElement));
    this.isChanged = false;
    this.suggestions.onChange((id, suggestion) => this.#said(id, suggestion));
  }

  /**
   * Ask about this answer, and say why it was given.
   *
   * @param {Prediction} prediction
   */
  show(prediction) {
    this.isChanged = false;
    this.feedback.show(prediction);
    this.personal.show(prediction);
  }

  /** There is no answer any more. */
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
   * @returns {boolean} whether the key said what a drawing was
   */
  takeKey(event) {
    if (this.isModal) {
      return this.keys.take(event, this.opened.feedback);
    }
    return !this.isChanged && this.keys.take(event, this.feedback);
  }

  /** @param {string} id of a form */
  #feedback(id) {
    return new FeedbackView(byId(id, HTMLFormElement), this.suggestions, this.texts, () => this.memory.enabled);
  }

  #remembered() {
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
      this.announce(outcomeSentence(this.texts, suggestion, this.memory.enabled));
      this.memory.refresh();
    } else if (suggestion.state === "failed" && id !== this.feedback.id && id !== this.opened.feedback.id) {
      // The question is gone from the page and its error with it; the history keeps both.
      this.announce(suggestion.error);
    }
  }
}
