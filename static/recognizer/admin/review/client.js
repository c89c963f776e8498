/** What the server is asked. Every failure becomes a Failure with a sentence for the reviewer. */

/** @typedef {import("./types.js").LabelState} LabelState */
/** @typedef {import("./types.js").Setup} Setup */

const TIMEOUT_MS = 20_000;

export class Failure extends Error {
  /**
   * @param {string} message a sentence for the reviewer
   * @param {"network" | "timeout" | "login" | "server" | "conflict" | "gone" | "refused"} kind
   * @param {LabelState | null} label what is stored, where that is the reason
   */
  constructor(message, kind, label = null) {
    super(message);
    this.name = "Failure";
    this.kind = kind;
    this.label = label;
  }

  /** Whether what waits behind would fail just so. */
  get isForAll() {
    return ["network", "timeout", "login", "server"].includes(this.kind);
  }
}

/** The cookie changes with a login in another tab; the page's own field is there where the cookie is hidden. */
function csrfToken() {
  const cookie = document.cookie.match(/(?:^|;\s*)(?:__Host-|__Secure-)?csrftoken=([^;]+)/);
  const field = /** @type {HTMLInputElement | null} */ (document.querySelector("[name=csrfmiddlewaretoken]"));
  return cookie !== null ? decodeURIComponent(cookie[1]) : (field?.value ?? "");
}

export class Client {
  /** @param {Setup} setup */
  constructor({ urls, texts }) {
    this.urls = urls;
    this.texts = texts.error;
  }

  /**
   * @param {keyof Setup["urls"]} name
   * @param {object} body
   * @returns {Promise<any>}
   */
  async post(name, body) {
    let response;
    let content;
    try {
      response = await fetch(this.urls[name], {
        method: "POST",
        headers: { Accept: "application/json", "Content-Type": "application/json", "X-CSRFToken": csrfToken() },
        body: JSON.stringify(body),
        // It arrives even if the page is left in the same moment.
        keepalive: true,
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      const text = await response.text();
      content = response.headers.get("Content-Type")?.includes("json") ? JSON.parse(text) : null;
    } catch (error) {
      const kind = error instanceof DOMException && error.name === "TimeoutError" ? "timeout" : "network";
      throw new Failure(this.texts[kind], kind);
    }
    if (!response.ok || content === null) {
      throw this.#failure(response.status, content);
    }
    return content;
  }

  /**
   * Send what needs no answer, while the page is being left.
   *
   * @param {keyof Setup["urls"]} name
   * @param {object} body
   */
  tell(name, body) {
    const form = new FormData();
    form.append("csrfmiddlewaretoken", csrfToken());
    form.append("body", JSON.stringify(body));
    navigator.sendBeacon(this.urls[name], form);
  }

  /**
   * @param {number} status
   * @param {{ errors?: { code?: string, detail?: string }[], label?: LabelState } | null} content
   */
  #failure(status, content) {
    const detail = content?.errors?.[0]?.detail;
    if (status === 409) {
      return new Failure(detail ?? this.texts.refused, "conflict", content?.label ?? null);
    }
    if (status === 404 && content !== null) {
      return new Failure(detail ?? this.texts.refused, "gone");
    }
    if (status === 403) {
      // A page instead of JSON: the CSRF token is an old one, as after a login in another tab.
      return new Failure(detail ?? this.texts.login, "login");
    }
    if (status >= 500) {
      return new Failure(this.texts.server, "server");
    }
    return new Failure(detail ?? this.texts.refused, "refused");
  }
}
