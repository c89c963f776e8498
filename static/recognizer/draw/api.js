/** The site's own API, /api/v1/. Every failure becomes an ApiError with a sentence for the visitor. */

import { NOT_A_DIGIT } from "../shared/labels.js";

/** @typedef {import("./types.js").Memory} Memory */
/** @typedef {import("./types.js").Prediction} Prediction */
/** @typedef {import("./types.js").PredictionList} PredictionList */
/** @typedef {import("./types.js").Preview} Preview */
/** @typedef {import("./types.js").Removed} Removed */
/** @typedef {import("./types.js").Texts} Texts */

const TIMEOUT_MS = 20_000;
const NO_CONTENT = 204;

/** The connection broke, or something between here and the site answered in its place: the same may work later. */
const PASSING = new Set(["network", "timeout", "502", "503", "504", "no_model", "throttled"]);

export class ApiError extends Error {
  /**
   * @param {string} message a sentence for the visitor
   * @param {string} code stable, for programs
   * @param {number} [retryAfter] in ms, where the site says when to come back; else 0
   */
  constructor(message, code, retryAfter = 0) {
    super(message);
    this.name = "ApiError";
    this.code = code;
    this.retryAfter = retryAfter;
  }

  /** Whether sending the same again may work later. */
  get isPassing() {
    return PASSING.has(this.code);
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

/** @param {AbortSignal} [signal] */
function withTimeout(signal) {
  const timeout = AbortSignal.timeout(TIMEOUT_MS);
  if (signal === undefined) {
    return timeout;
  }
  return "any" in AbortSignal ? AbortSignal.any([signal, timeout]) : signal;
}

export class Api {
  /**
   * @param {{ predictions: string, preview: string, memory: string }} urls
   * @param {Texts} texts
   */
  constructor(urls, texts) {
    this.urls = urls;
    this.texts = texts;
  }

  /**
   * @param {string} image a data URL
   * @param {string} key sent again with the same key, the drawing is kept once
   * @returns {Promise<Prediction>}
   */
  predictDrawing(image, key) {
    return this.#sendJson(this.urls.predictions, "POST", { image, source: "canvas" }, { "Idempotency-Key": key });
  }

  /**
   * Ask for an answer that is not kept.
   *
   * @param {string} image a data URL
   * @param {AbortSignal} signal
   * @returns {Promise<Preview>}
   */
  previewDrawing(image, signal) {
    return this.#sendJson(this.urls.preview, "POST", { image, source: "canvas" }, {}, signal);
  }

  /**
   * @param {File} file
   * @param {AbortSignal} signal
   * @returns {Promise<Preview>}
   */
  previewFile(file, signal) {
    return this.#sendFile(this.urls.preview, file, signal);
  }

  /**
   * @param {string} id
   * @returns {Promise<Removed>}
   */
  remove(id) {
    return this.#sendJson(`${this.urls.predictions}${id}/`, "DELETE");
  }

  /** @returns {Promise<Removed>} */
  removeAll() {
    return this.#sendJson(this.urls.predictions, "DELETE");
  }

  /**
   * @param {File} file
   * @returns {Promise<Prediction>}
   */
  predictFile(file) {
    return this.#sendFile(this.urls.predictions, file);
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
    return this.#send(this.urls.memory, {});
  }

  /**
   * @param {boolean} enabled
   * @returns {Promise<Memory>}
   */
  switchMemory(enabled) {
    return this.#sendJson(this.urls.memory, "PATCH", { enabled });
  }

  /** @returns {Promise<null>} */
  forget() {
    return this.#sendJson(this.urls.memory, "DELETE");
  }

  /** @param {string} id */
  #suggestionUrl(id) {
    return `${this.urls.predictions}${id}/suggestion/`;
  }

  /**
   * @param {string} url
   * @param {File} file
   * @param {AbortSignal} [signal]
   * @returns {Promise<any>}
   */
  #sendFile(url, file, signal) {
    const body = new FormData();
    body.append("image", file);
    body.append("source", "upload");
    return this.#send(url, { method: "POST", headers: { "X-CSRFToken": csrfToken() }, body }, signal);
  }

  /**
   * @param {string} url
   * @param {string} method
   * @param {object} [content]
   * @param {Record<string, string>} [more] headers
   * @param {AbortSignal} [signal]
   * @returns {Promise<any>}
   */
  #sendJson(url, method, content, more = {}, signal) {
    const headers = { "Content-Type": "application/json", "X-CSRFToken": csrfToken(), ...more };
    return this.#send(url, { method, headers, body: JSON.stringify(content) }, signal);
  }

  /**
   * @param {string} url
   * @param {RequestInit} options
   * @param {AbortSignal} [signal]
   * @returns {Promise<any>} what the body holds; null of an answer that has none
   */
  async #send(url, options, signal) {
    const headers = { Accept: "application/json", ...options.headers };
    let response;
    let body;
    try {
      response = await fetch(url, { ...options, headers, signal: withTimeout(signal) });
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
      throw this.#refusal(response, content);
    }
    return content;
  }

  /**
   * @param {Response} response
   * @param {{ errors?: { code?: string, detail?: string }[] } | null} content
   */
  #refusal({ status, headers }, content) {
    const first = content?.errors?.[0];
    const known = this.texts.error[String(status)] ?? this.texts.error.other;
    const seconds = Number(headers.get("Retry-After"));
    return new ApiError(first?.detail || known, first?.code ?? String(status), seconds > 0 ? 1000 * seconds : 0);
  }
}
