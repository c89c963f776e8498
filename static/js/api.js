/** The site's own API, /api/v1/. Every failure becomes an ApiError with a sentence for the visitor. */

import { NOT_A_DIGIT } from "./labels.js";

/** @typedef {import("./types.js").Memory} Memory */
/** @typedef {import("./types.js").Prediction} Prediction */
/** @typedef {import("./types.js").PredictionList} PredictionList */
/** @typedef {import("./types.js").Texts} Texts */

const TIMEOUT_MS = 20_000;
const NO_CONTENT = 204;

export class ApiError extends Error {
  /**
   * @param {string} message a sentence for the visitor
   * @param {string} code stable, for programs
   */
  constructor(message, code) {
    super(message);
    this.name = "ApiError";
    this.code = code;
  }
}

/**
 * The path of one of the API's links. A proxy that hides the scheme makes them http:// on a page served by https://.
 *
 * @param {string} url
 */
export function localPath(url) {
  const { pathname, search } = new URL(url, location.href);
  return pathname + search;
}

/** The cookie changes when the visitor logs in on another tab; the form's token is there where the cookie is hidden. */
function csrfToken() {
  const cookie = document.cookie.match(/(?:^|;\s*)(?:__Host-|__Secure-)?csrftoken=([^;]+)/);
  const field = /** @type {HTMLInputElement | null} */ (document.querySelector("[name=csrfmiddlewaretoken]"));
  return cookie !== null ? decodeURIComponent(cookie[1]) : (field?.value ?? "");
}

export class Api {
  /**
   * @param {string} predictionsUrl
   * @param {string} memoryUrl
   * @param {Texts} texts
   */
  constructor(predictionsUrl, memoryUrl, texts) {
    this.predictionsUrl = predictionsUrl;
    this.memoryUrl = memoryUrl;
    this.texts = texts;
  }

  /**
   * @param {string} image a data URL
   * @returns {Promise<Prediction>}
   */
  predictDrawing(image) {
    return this.#sendJson(this.predictionsUrl, "POST", { image, source: "canvas" });
  }

  /**
   * @param {File} file
   * @returns {Promise<Prediction>}
   */
  predictFile(file) {
    const body = new FormData();
    body.append("image", file);
    body.append("source", "upload");
    return this.#send(this.predictionsUrl, { method: "POST", headers: { "X-CSRFToken": csrfToken() }, body });
  }

  /**
   * @param {string} url a page of the visitor's history
   * @returns {Promise<PredictionList>}
   */
  predictions(url) {
    return this.#send(localPath(url), {});
  }

  /**
   * Say what a drawing was.
   *
   * @param {string} id
   * @param {number} label 0 to 9, or NOT_A_DIGIT
   * @returns {Promise<Prediction>}
   */
  suggest(id, label) {
    return this.#sendJson(this.#suggestionUrl(id), "POST", label === NOT_A_DIGIT ? { not_a_digit: true } : { digit: label });
  }

  /**
   * Take back what was said of a drawing.
   *
   * @param {string} id
   * @returns {Promise<null>}
   */
  takeBack(id) {
    return this.#sendJson(this.#suggestionUrl(id), "DELETE");
  }

  /** @returns {Promise<Memory>} */
  memory() {
    return this.#send(this.memoryUrl, {});
  }

  /**
   * @param {boolean} enabled
   * @returns {Promise<Memory>}
   */
  switchMemory(enabled) {
    return this.#sendJson(this.memoryUrl, "PATCH", { enabled });
  }

  /** @returns {Promise<null>} */
  forget() {
    return this.#sendJson(this.memoryUrl, "DELETE");
  }

  /** @param {string} id */
  #suggestionUrl(id) {
    return `${this.predictionsUrl}${id}/suggestion/`;
  }

  /**
   * @param {string} url
   * @param {string} method
   * @param {object} [content]
   * @returns {Promise<any>}
   */
  #sendJson(url, method, content) {
    const headers = { "Content-Type": "application/json", "X-CSRFToken": csrfToken() };
    return this.#send(url, { method, headers, body: JSON.stringify(content) });
  }

  /**
   * @param {string} url
   * @param {RequestInit} options
   * @returns {Promise<any>} what the body holds; null of an answer that has none
   */
  async #send(url, options) {
    const headers = { Accept: "application/json", ...options.headers };
    let response;
    let body;
    try {
      response = await fetch(url, { ...options, headers, signal: AbortSignal.timeout(TIMEOUT_MS) });
      body = await response.text();
    } catch (error) {
      const code = error instanceof DOMException && error.name === "TimeoutError" ? "timeout" : "network";
      throw new ApiError(this.texts.error[code], code);
    }
    if (response.status === NO_CONTENT) {
      return null;
    }
    let content = null;
    try {
      content = JSON.parse(body);
    } catch {
      // A proxy's own error page: the status says enough.
    }
    if (!response.ok || content === null) {
      throw this.#refusal(response.status, content);
    }
    return content;
  }

  /**
   * @param {number} status
   * @param {{ errors?: { code?: string, detail?: string }[] } | null} content
   */
  #refusal(status, content) {
    const first = content?.errors?.[0];
    const known = this.texts.error[String(status)] ?? this.texts.error.other;
    return new ApiError(first?.detail || known, first?.code ?? String(status));
  }
}
