/**
 * The grid of drawings. The forms are the server's: here they are sent in the background, and the page that comes back
 * takes the place of the one that was sent. Its pictures have been loaded meanwhile.
 */

import { byId } from "../../shared/dom.js";
import { Http, RequestError } from "../../shared/http.js";
import { readJson } from "../../shared/texts.js";
import { GridPage } from "./page.js";

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
  const addresses = /** @type {string[]} */ (readJson("grid-ahead", root) ?? []);
  ahead.clear();
  for (const address of addresses) {
    const image = new Image();
    image.fetchPriority = "low";
    image.src = address;
    ahead.add(image);
  }
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
    if (!(error instanceof RequestError)) {
      throw error;
    }
    page.fail(error.message);
  } finally {
    isBusy = false;
    page.isBusy = false;
  }
}

/**
 * @param {HTMLFormElement} form
 * @returns {Promise<HTMLElement>}
 */
async function answerTo(form) {
  const { unreachable, refused } = page.texts;
  const http = new Http({ network: unreachable, timeout: unreachable, other: refused });
  const answer = await http.page(form.action, new FormData(form));
  const grid = answer.page.getElementById("grid");
  if (grid === null) {
    throw new RequestError(refused, "login");
  }
  history.replaceState(null, "", answer.url);
  return grid;
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
