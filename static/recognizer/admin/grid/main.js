/**
 * The grid of drawings. The forms are the server's: here they are sent in the background, and the page that comes back
 * takes the place of the one that was sent. Its pictures have been loaded meanwhile.
 */

import { byId } from "../../shared/dom.js";
import { GridPage, read } from "./page.js";

const TIMEOUT_MS = 20_000;

const status = byId("grid-status", HTMLElement);
let page = show(byId("grid", HTMLElement));
/** The pictures of the next page, which would be thrown away if nothing held them. @type {Set<HTMLImageElement>} */
const ahead = new Set();
let isBusy = false;

load(page.root);

page.begin();
document.addEventListener("keydown", onKey);
document.documentElement.dataset.ready = "";

/** @param {HTMLElement} root */
function show(root) {
  return new GridPage(root, announce, (form) => void send(form));
}

/** @param {string} text */
function announce(text) {
  status.textContent = text;
}

/** @param {HTMLElement} root */
function load(root) {
  const addresses = /** @type {string[]} */ (read("grid-ahead", root) ?? []);
  ahead.clear();
  for (const address of addresses) {
    const image = new Image();
    image.fetchPriority = "low";
    image.src = address;
    ahead.add(image);
  }
}

/** The cookie changes when the reviewer logs in again on another tab. */
function csrfToken() {
  const cookie = document.cookie.match(/(?:^|;\s*)csrftoken=([^;]+)/);
  return cookie === null ? null : decodeURIComponent(cookie[1]);
}

/**
 * Send a form and show the page that answers it.
 *
 * @param {HTMLFormElement} form
 */
async function send(form) {
  if (isBusy) {
    return;
  }
  isBusy = true;
  page.isBusy = true;
  try {
    const next = await answerTo(form);
    if (form === page.form) {
      page.cells?.forget();
    }
    replace(next);
  } catch (error) {
    page.fail(error instanceof Refusal ? page.texts.refused : page.texts.unreachable);
  } finally {
    isBusy = false;
    page.isBusy = false;
  }
}

class Refusal extends Error {}

/**
 * @param {HTMLFormElement} form
 * @returns {Promise<HTMLElement>}
 */
async function answerTo(form) {
  const body = new FormData(form);
  const token = csrfToken();
  if (token !== null) {
    body.set("csrfmiddlewaretoken", token);
  }
  const response = await fetch(form.action, { method: "POST", body, signal: AbortSignal.timeout(TIMEOUT_MS) });
  const answer = new DOMParser().parseFromString(await response.text(), "text/html").getElementById("grid");
  if (!response.ok || answer === null) {
    throw new Refusal();
  }
  history.replaceState(null, "", response.url);
  return answer;
}

/** @param {HTMLElement} next */
function replace(next) {
  for (const image of next.querySelectorAll("img")) {
    image.loading = "eager";
  }
  page.root.replaceWith(next);
  page = show(next);
  load(next);
  page.begin();
  const list = next.querySelector("[data-slot=cells]");
  announce([page.said.textContent?.trim(), list?.getAttribute("aria-label")].filter(Boolean).join(" "));
}

/** @param {KeyboardEvent} event */
function onKey(event) {
  const { target } = event;
  const isHere = target === document.body || (target instanceof Node && page.root.contains(target));
  const isTyping = target instanceof HTMLInputElement || target instanceof HTMLSelectElement;
  if (isHere && !isTyping && !isBusy && !event.defaultPrevented && !event.ctrlKey && !event.metaKey && !event.altKey) {
    page.onKey(event);
  }
}
