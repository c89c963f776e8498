/**
 * The visitor's corrections: stored here until the site has them, shown wherever the drawing is shown.
 *
 * A choice is sent at once. Of choices that come faster than the site answers only the last one is sent after the
 * first, so that the last one stays. One that could not be sent waits for `retry`.
 */

import { RequestError } from "../../shared/http.js";
import { suggestedLabel } from "../../shared/labels.js";

/** @typedef {import("../api.js").Api} Api */
/** @typedef {import("../types.js").Label} Label */
/** @typedef {import("../types.js").Suggestion} Suggestion */

export class Suggestions {
  /** @param {Api} api */
  constructor(api) {
    this.api = api;
    /** @type {Map<string, Suggestion>} */
    this.known = new Map();
    /** @type {((id: string, suggestion: Suggestion) => void)[]} */
    this.listeners = [];
  }

  /** @param {(id: string, suggestion: Suggestion) => void} listener */
  onChange(listener) {
    this.listeners.push(listener);
  }

  /**
   * Take over what the site has; a choice that it does not have yet is newer.
   *
   * @param {string} id a prediction's
   * @param {Label | null} label
   * @param {string} [note] what the history says of it
   */
  learn(id, label, note = "") {
    if (!this.isWaiting(id)) {
      this.known.set(id, { choice: label, saved: label, note, state: "idle", error: "" });
    }
  }

  /**
   * Whether the site does not have the choice yet.
   *
   * @param {string} id
   */
  isWaiting(id) {
    return ["sending", "failed"].includes(this.of(id).state);
  }

  /**
   * @param {string} id
   * @returns {Suggestion}
   */
  of(id) {
    return this.known.get(id) ?? { choice: null, saved: null, note: "", state: "idle", error: "" };
  }

  /**
   * @param {string} id
   * @param {Label | null} label null withdraws the correction
   */
  choose(id, label) {
    const isSending = this.of(id).state === "sending";
    this.#change(id, { choice: label, state: "sending", error: "" });
    if (!isSending) {
      this.#send(id);
    }
  }

  /**
   * Show a choice for a drawing that is not stored yet.
   *
   * @param {string} key
   * @param {Label | null} label
   * @param {boolean} isSending
   */
  hold(key, label, isSending) {
    this.#change(key, { choice: label, state: isSending ? "sending" : "idle" });
  }

  /**
   * The drawing is stored: send what was chosen for it meanwhile.
   *
   * @param {string} id
   * @param {Label | null} label
   */
  release(id, label) {
    if (label !== null) {
      this.choose(id, label);
    }
  }

  /** @param {string} id */
  retry(id) {
    this.choose(id, this.of(id).choice);
  }

  /** @param {string} id */
  async #send(id) {
    const { choice } = this.of(id);
    try {
      const prediction = choice === null ? await this.api.withdraw(id) : await this.api.suggest(id, choice);
      const saved = prediction === null ? null : suggestedLabel(prediction);
      this.#settle(id, choice, { saved, note: prediction?.words.suggestion ?? "", state: "saved" });
    } catch (error) {
      if (!(error instanceof RequestError)) {
        throw error;
      }
      this.#settle(id, choice, { state: "failed", error: error.message });
    }
  }

  /**
   * @param {string} id
   * @param {Label | null} sent
   * @param {Partial<Suggestion>} outcome
   */
  #settle(id, sent, outcome) {
    if (this.of(id).choice !== sent) {
      // The visitor has changed their mind meanwhile.
      this.#send(id);
    } else {
      this.#change(id, outcome);
    }
  }

  /**
   * @param {string} id
   * @param {Partial<Suggestion>} change
   */
  #change(id, change) {
    const suggestion = { ...this.of(id), ...change };
    this.known.set(id, suggestion);
    for (const listener of this.listeners) {
      listener(id, suggestion);
    }
  }
}
