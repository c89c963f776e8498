/** The site's own API, /api/v1/. What fails is a RequestError with a sentence for the visitor. */

import { Http, localPath } from "../shared/http.js";
import { NOT_A_DIGIT } from "../shared/labels.js";

/** @typedef {import("./types.js").Memory} Memory */
/** @typedef {import("./types.js").Prediction} Prediction */
/** @typedef {import("./types.js").PredictionList} PredictionList */
/** @typedef {import("./types.js").Preview} Preview */
/** @typedef {import("./types.js").Removed} Removed */
/** @typedef {import("./types.js").SentDrawing} SentDrawing */

/** @param {File} file */
function uploadForm(file) {
  const form = new FormData();
  form.append("image", file);
  form.append("source", "upload");
  return form;
}

/** The answer in words, in the visitor's language, is sent on request only. */
const WITH_WORDS = { Prefer: "include=words" };

export class Api {
  /**
   * @param {{ predictions: string, preview: string, memory: string }} urls
   * @param {Record<string, string>} errors sentences for what fails
   */
  constructor(urls, errors) {
    this.urls = urls;
    this.http = new Http(errors);
  }

  /**
   * @param {SentDrawing} drawing
   * @param {string} key sent again with the same key, the drawing is stored once
   * @returns {Promise<Prediction>}
   */
  saveDrawing(drawing, key) {
    const headers = { ...WITH_WORDS, "Idempotency-Key": key };
    return this.http.json(this.urls.predictions, { method: "POST", json: { ...drawing, source: "canvas" }, headers });
  }

  /**
   * Ask for an answer without storing the drawing.
   *
   * @param {SentDrawing} drawing
   * @param {AbortSignal} signal
   * @returns {Promise<Preview>}
   */
  previewDrawing(drawing, signal) {
    const json = { ...drawing, source: "canvas" };
    return this.http.json(this.urls.preview, { method: "POST", json, headers: WITH_WORDS, signal });
  }

  /**
   * @param {File} file
   * @param {AbortSignal} signal
   * @returns {Promise<Preview>}
   */
  previewFile(file, signal) {
    return this.http.json(this.urls.preview, { method: "POST", form: uploadForm(file), headers: WITH_WORDS, signal });
  }

  /**
   * @param {string} id
   * @returns {Promise<Removed>}
   */
  remove(id) {
    return this.http.json(`${this.urls.predictions}${id}/`, { method: "DELETE" });
  }

  /** @returns {Promise<Removed>} */
  removeAll() {
    return this.http.json(this.urls.predictions, { method: "DELETE" });
  }

  /**
   * @param {File} file
   * @returns {Promise<Prediction>}
   */
  saveFile(file) {
    return this.http.json(this.urls.predictions, { method: "POST", form: uploadForm(file), headers: WITH_WORDS });
  }

  /**
   * @param {string} url a page of the visitor's history
   * @returns {Promise<PredictionList>}
   */
  predictions(url) {
    return this.http.json(localPath(url), { headers: WITH_WORDS });
  }

  /**
   * Say what a drawing shows.
   *
   * @param {string} id
   * @param {import("../shared/labels.js").Label} label
   * @returns {Promise<Prediction>}
   */
  suggest(id, label) {
    const shown = typeof label === "string" ? { number: label } : { digit: label };
    const json = label === NOT_A_DIGIT ? { not_a_digit: true } : shown;
    return this.http.json(this.#suggestionUrl(id), { method: "POST", json, headers: WITH_WORDS });
  }

  /**
   * Withdraw the visitor's label of a drawing.
   *
   * @param {string} id
   * @returns {Promise<null>}
   */
  withdraw(id) {
    return this.http.json(this.#suggestionUrl(id), { method: "DELETE" });
  }

  /**
   * Make the public link of a drawing, or revoke it.
   *
   * @param {string} id
   * @param {boolean} isPublic
   * @returns {Promise<{ url: string } | null>} null if it is revoked
   */
  setPublic(id, isPublic) {
    return this.http.json(`${this.urls.predictions}${id}/link/`, { method: isPublic ? "POST" : "DELETE" });
  }

  /** @returns {Promise<Memory>} */
  personalLearning() {
    return this.http.json(this.urls.memory);
  }

  /**
   * @param {boolean} enabled
   * @returns {Promise<Memory>}
   */
  setPersonalLearning(enabled) {
    return this.http.json(this.urls.memory, { method: "PATCH", json: { enabled } });
  }

  /** @returns {Promise<null>} */
  resetPersonalLearning() {
    return this.http.json(this.urls.memory, { method: "DELETE" });
  }

  /** @param {string} id */
  #suggestionUrl(id) {
    return `${this.urls.predictions}${id}/suggestion/`;
  }
}
