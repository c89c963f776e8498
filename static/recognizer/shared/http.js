/** Every request of every page: the CSRF token, the time limit, and one kind of error with a sentence to show. */

const TIMEOUT_MS = 20_000;
const NO_CONTENT = 204;

/** A proxy or a throttle answered, or no model is active: the same request may succeed later. */
const TEMPORARY = new Set([429, 502, 503, 504]);

/**
 * Why a request failed: no connection, no answer in time, logged out or an old CSRF token, a fault of the site's, or
 * something wrong with the request.
 *
 * @typedef {"network" | "timeout" | "login" | "server" | "refused"} Kind
 */

export class RequestError extends Error {
  /**
   * @param {string} message a sentence to show
   * @param {Kind} kind
   * @param {object} [answer]
   * @param {number} [answer.status] 0 where none came
   * @param {string} [answer.code] stable, for programs
   * @param {number} [answer.retryAfter] in ms, where the site says when to try again; else 0
   * @param {any} [answer.content] the JSON of the answer, if it has any
   */
  constructor(message, kind, { status = 0, code = "", retryAfter = 0, content = null } = {}) {
    super(message);
    this.name = "RequestError";
    this.kind = kind;
    this.status = status;
    this.code = code;
    this.retryAfter = retryAfter;
    this.content = content;
  }

  /** Whether the same request may succeed later. */
  get isTemporary() {
    return this.kind === "network" || this.kind === "timeout" || TEMPORARY.has(this.status);
  }
}

/** A random UUID (version 4); `crypto.randomUUID` is missing on plain http. */
export function uuid() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

/** The cookie changes with a login on another tab; a form's field is there where scripts may not see the cookie. */
export function csrfToken() {
  const cookie = document.cookie.match(/(?:^|;\s*)(?:__Host-|__Secure-)?csrftoken=([^;]+)/);
  const field = /** @type {HTMLInputElement | null} */ (document.querySelector("[name=csrfmiddlewaretoken]"));
  return cookie !== null ? decodeURIComponent(cookie[1]) : (field?.value ?? "");
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

/**
 * @param {number} timeout in ms
 * @param {AbortSignal} [signal]
 */
function limited(timeout, signal) {
  const limit = AbortSignal.timeout(timeout);
  if (signal === undefined) {
    return limit;
  }
  return "any" in AbortSignal ? AbortSignal.any([signal, limit]) : signal;
}

/**
 * @typedef {object} Options
 * @property {string} [method]
 * @property {object} [json] sent as the body
 * @property {FormData} [form] sent as the body
 * @property {Record<string, string>} [headers]
 * @property {AbortSignal} [signal]
 * @property {number} [timeout] in ms
 * @property {boolean} [keepalive] whether the request is sent even if the page is being left
 */

export class Http {
  /** @param {Record<string, string>} texts sentences by status or `Kind`; `other` for the rest */
  constructor(texts) {
    this.texts = texts;
  }

  /**
   * Ask for JSON.
   *
   * @param {string} url
   * @param {Options} [options]
   * @returns {Promise<any>} null for an answer without content
   */
  async json(url, options = {}) {
    const { response, text } = await this.#send(url, "application/json", options);
    if (response.status === NO_CONTENT) {
      return null;
    }
    let content = null;
    try {
      content = JSON.parse(text);
    } catch {
      // A proxy's error page or the login page: the status is enough.
    }
    if (!response.ok || content === null) {
      throw this.#refusal(response, content);
    }
    return content;
  }

  /**
   * Send a form and get the page that answers it, wherever that redirects to.
   *
   * @param {string} url
   * @param {FormData} form
   * @returns {Promise<{ page: Document, url: string }>}
   */
  async page(url, form) {
    const { response, text } = await this.#send(url, "text/html", { method: "POST", form });
    if (!response.ok) {
      throw this.#refusal(response, null);
    }
    return { page: new DOMParser().parseFromString(text, "text/html"), url: response.url };
  }

  /**
   * @param {string} url
   * @param {string} accept
   * @param {Options} options
   */
  async #send(url, accept, { method = "GET", json, form, headers = {}, signal, timeout = TIMEOUT_MS, keepalive = false }) {
    /** @type {Record<string, string>} */
    const sent = { Accept: accept, ...headers };
    if (method !== "GET") {
      sent["X-CSRFToken"] = csrfToken();
    }
    if (json !== undefined) {
      sent["Content-Type"] = "application/json";
    }
    // Django would prefer the form's own token, which may be an older one.
    form?.delete("csrfmiddlewaretoken");
    const body = form ?? (json === undefined ? undefined : JSON.stringify(json));
    try {
      const response = await fetch(url, { method, headers: sent, body, keepalive, signal: limited(timeout, signal) });
      return { response, text: await response.text() };
    } catch (error) {
      const kind = error instanceof DOMException && error.name === "TimeoutError" ? "timeout" : "network";
      throw new RequestError(this.texts[kind] ?? this.texts.other ?? "", kind, { code: kind });
    }
  }

  /**
   * @param {Response} response
   * @param {{ errors?: { code?: string, detail?: string }[] } | null} content
   */
  #refusal({ status, ok, redirected, headers }, content) {
    /** @type {Kind} */
    let kind = "refused";
    if (status === 401 || status === 403 || (ok && redirected)) {
      kind = "login";
    } else if (ok || status >= 500) {
      kind = "server";
    }
    const first = content?.errors?.[0];
    const message = first?.detail || (this.texts[status] ?? this.texts[kind] ?? this.texts.other ?? "");
    const seconds = Number(headers.get("Retry-After"));
    return new RequestError(message, kind, {
      status,
      code: first?.code ?? String(status),
      retryAfter: seconds > 0 ? 1000 * seconds : 0,
      content,
    });
  }
}
