import assert from "node:assert/strict";
import { test } from "node:test";

import { Http, RequestError, csrfToken, localPath } from "../../../static/recognizer/shared/http.js";

const TEXTS = { network: "No connection.", timeout: "Too slow.", 413: "Too large.", other: "It failed." };

/** @type {{ url: string, options: any }[]} */
let sent = [];

/**
 * A page with this cookie and, unless null, this token in a form.
 *
 * @param {string} cookie
 * @param {string | null} [field]
 */
function openPage(cookie, field = null) {
  const querySelector = () => (field === null ? null : { value: field });
  Object.assign(globalThis, { document: { cookie, querySelector }, location: { href: "https://example.org/page" } });
}

/** @param {(options: any) => Response | Promise<Response>} answer */
function serve(answer) {
  sent = [];
  Object.assign(globalThis, {
    fetch: async (/** @type {string} */ url, /** @type {any} */ options) => {
      sent.push({ url, options });
      return answer(options);
    },
  });
}

/**
 * @param {Promise<unknown>} request
 * @returns {Promise<RequestError>}
 */
async function failure(request) {
  const error = await request.then(
    () => null,
    (reason) => reason,
  );
  assert.ok(error instanceof RequestError);
  return error;
}

/**
 * @param {string} code
 * @param {string} detail
 */
function apiError(code, detail) {
  return { type: "client_error", errors: [{ code, detail, attr: null }] };
}

test.beforeEach(() => openPage("csrftoken=abc"));

test("the token is read from the cookie under each of its names", () => {
  for (const name of ["csrftoken", "__Host-csrftoken", "__Secure-csrftoken"]) {
    openPage(`theme=dark; ${name}=t%20${name}; x=y`, "old");
    assert.equal(csrfToken(), `t ${name}`);
  }
});

test("another cookie whose name ends in the same way is no token", () => {
  openPage("notcsrftoken=wrong", "right");
  assert.equal(csrfToken(), "right");
});

test("without a cookie the form's token is sent, and without either an empty one", () => {
  openPage("", "from-the-form");
  assert.equal(csrfToken(), "from-the-form");
  openPage("");
  assert.equal(csrfToken(), "");
});

test("JSON is sent with the token, and what the answer holds is returned", async () => {
  serve(() => Response.json({ digit: 3 }, { status: 201 }));
  const content = await new Http(TEXTS).json("/x/", { method: "POST", json: { a: 1 }, headers: { "Idempotency-Key": "k" } });
  assert.deepEqual(content, { digit: 3 });
  const { url, options } = sent[0];
  assert.equal(url, "/x/");
  assert.equal(options.method, "POST");
  assert.equal(options.body, '{"a":1}');
  assert.deepEqual(options.headers, {
    Accept: "application/json",
    "Content-Type": "application/json",
    "Idempotency-Key": "k",
    "X-CSRFToken": "abc",
  });
});

test("reading sends no token and no body", async () => {
  serve(() => Response.json([]));
  await new Http(TEXTS).json("/x/");
  assert.deepEqual(sent[0].options.headers, { Accept: "application/json" });
  assert.equal(sent[0].options.body, undefined);
});

test("a form is sent with today's token in place of its own", async () => {
  serve(() => Response.json({}));
  const form = new FormData();
  form.append("csrfmiddlewaretoken", "old");
  form.append("n", "1");
  await new Http(TEXTS).json("/x/", { method: "POST", form });
  const { body, headers } = sent[0].options;
  assert.deepEqual([...body.entries()], [["n", "1"]]);
  assert.equal(headers["X-CSRFToken"], "abc");
  // The browser adds the boundary.
  assert.equal(headers["Content-Type"], undefined);
});

test("an answer without content is null", async () => {
  serve(() => new Response(null, { status: 204 }));
  assert.equal(await new Http(TEXTS).json("/x/", { method: "DELETE" }), null);
});

test("a refusal says what the server says", async () => {
  const content = { ...apiError("conflict", "Someone else labelled it."), label: { value: 3 } };
  serve(() => Response.json(content, { status: 409 }));
  const error = await failure(new Http(TEXTS).json("/x/", { method: "POST", json: {} }));
  assert.equal(error.message, "Someone else labelled it.");
  assert.deepEqual([error.kind, error.status, error.code], ["refused", 409, "conflict"]);
  assert.deepEqual(error.content.label, { value: 3 });
  assert.equal(error.isTemporary, false);
});

test("where the server says nothing, the status or the kind has a sentence", async () => {
  const http = new Http({ ...TEXTS, login: "Log in." });
  for (const [status, kind, message] of /** @type {const} */ ([
    [400, "refused", "It failed."],
    [401, "login", "Log in."],
    [403, "login", "Log in."],
    [413, "refused", "Too large."],
    [500, "server", "It failed."],
    [502, "server", "It failed."],
    [200, "server", "It failed."],
  ])) {
    serve(() => new Response("<h1>nginx</h1>", { status }));
    const error = await failure(http.json("/x/"));
    assert.deepEqual([error.kind, error.message, error.code], [kind, message, String(status)]);
  }
});

test("a redirect to the login page is not taken for the answer", async () => {
  serve(() => Object.defineProperty(new Response("<form>", { status: 200 }), "redirected", { value: true }));
  assert.equal((await failure(new Http(TEXTS).json("/x/"))).kind, "login");
});

test("when to come back is given in milliseconds", async () => {
  serve(() => Response.json(apiError("throttled", "Wait."), { status: 429, headers: { "Retry-After": "7" } }));
  const error = await failure(new Http(TEXTS).json("/x/"));
  assert.deepEqual([error.code, error.retryAfter, error.isTemporary], ["throttled", 7000, true]);
  serve(() => new Response("", { status: 503, headers: { "Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT" } }));
  assert.equal((await failure(new Http(TEXTS).json("/x/"))).retryAfter, 0);
});

test("a lost connection may be back later", async () => {
  serve(() => Promise.reject(new TypeError("Failed to fetch")));
  const error = await failure(new Http(TEXTS).json("/x/"));
  assert.deepEqual([error.kind, error.message, error.isTemporary], ["network", "No connection.", true]);
});

test("a server that does not answer in time is given up", async () => {
  serve(
    ({ signal }) =>
      new Promise((_resolve, reject) => {
        // Node does not wait for the timer of a signal.
        const alive = setInterval(() => {}, 1000);
        signal.addEventListener("abort", () => {
          clearInterval(alive);
          reject(signal.reason);
        });
      }),
  );
  const error = await failure(new Http(TEXTS).json("/x/", { timeout: 5 }));
  assert.deepEqual([error.kind, error.message, error.isTemporary], ["timeout", "Too slow.", true]);
});

test("a caller can call its request off", async () => {
  serve(({ signal }) => new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason))));
  const caller = new AbortController();
  const request = new Http(TEXTS).json("/x/", { signal: caller.signal });
  caller.abort();
  assert.equal((await failure(request)).kind, "network");
});

test("a page that refuses a form is an error too", async () => {
  serve(() => new Response("<h1>Bad request</h1>", { status: 400 }));
  const error = await failure(new Http(TEXTS).page("/x/", new FormData()));
  assert.deepEqual([error.kind, error.message], ["refused", "It failed."]);
  assert.equal(sent[0].options.headers.Accept, "text/html");
});

test("links keep to the scheme and host of the page", () => {
  assert.equal(localPath("http://proxy.internal/api/v1/predictions/?cursor=x"), "/api/v1/predictions/?cursor=x");
});
