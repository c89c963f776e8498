/** Ties the review queue together: keys, buttons, touch, time, leaving. */

import { byId } from "../../shared/dom.js";
import { NumberField } from "./number.js";
import { ReviewQueue } from "./queue.js";
import { actionOf, isTaken } from "./keys.js";
import { readJson } from "../../shared/texts.js";
import { View } from "./view.js";

/** @typedef {import("./keys.js").Action} Action */
/** @typedef {import("./types.js").Label} Label */
/** @typedef {import("./types.js").Setup} Setup */

// The claims expire after ten minutes.
const RENEW_MS = 60_000;
// A reviewer who has not touched the page for so long has left it: the drawings go to others.
const IDLE_MS = 30 * 60_000;
const TICK_MS = 2_000;
const SHORTCUTS = "review-shortcuts";

const root = byId("review", HTMLElement);
const menu = byId("order", HTMLDetailsElement);
const help = byId("help", HTMLDialogElement);
const note = byId("note", HTMLInputElement);
const digit = byId("digit", HTMLSelectElement);
const shortcuts = byId("shortcuts", HTMLInputElement);

/** @type {Setup} */
const setup = readJson("review-setup");
const view = new View(setup.texts);
const number = new NumberField(label);
const queue = new ReviewQueue(
  setup,
  menu.dataset.order ?? "",
  show,
  (text, isLoggedOut) => view.complain(text, isLoggedOut),
);
let touched = performance.now();
let renewed = performance.now();

let isScrolled = false;

function show() {
  view.render(queue);
  if (!isScrolled && queue.current !== undefined) {
    isScrolled = true;
    if (matchMedia("(max-width: 1023px)").matches) {
      // The admin's head would leave a small screen no room for the drawing.
      root.scrollIntoView();
    }
  }
}

function settle() {
  if (!queue.isCutOff) {
    view.complain("");
  }
}

function saveNote() {
  queue.setNote(note.value.trim(), queue.current?.drawing.is_flagged ?? false);
}

/** @param {Label} value */
function label(value) {
  settle();
  saveNote();
  number.close();
  queue.label(value);
}

function labelAsTheVisitorSaid() {
  const suggested = queue.current?.drawing.suggested ?? null;
  if (suggested === null) {
    view.complain(setup.texts.nothing_said);
  } else {
    label(suggested);
  }
}

/** What the visitor or the site takes for a number in the drawing; empty if neither does. */
function guessedNumber() {
  const { suggested, answered } = queue.current?.drawing ?? {};
  return [suggested, answered].find((each) => typeof each === "string") ?? "";
}

/** A drawing that is flagged asks for a note; Enter goes back to the keys. */
function flag() {
  const isFlagged = !queue.current?.drawing.is_flagged;
  queue.setNote(note.value.trim(), isFlagged);
  if (isFlagged) {
    note.focus();
  }
}

/** @param {Action} action */
function perform(action) {
  switch (action.name) {
    case "label":
      label(action.value);
      break;
    case "confirm":
      if (queue.current !== undefined) {
        label(queue.current.drawing.answered);
      }
      break;
    case "visitor":
      labelAsTheVisitorSaid();
      break;
    case "number":
      number.open(guessedNumber());
      break;
    case "flag":
      flag();
      break;
    case "skip":
      settle();
      saveNote();
      queue.skip();
      break;
    case "undo":
      settle();
      queue.undo();
      break;
    case "help":
      help.showModal();
      break;
  }
}

/** @param {KeyboardEvent} event */
function pressed(event) {
  if (event.key === "Escape") {
    menu.open = false;
  }
  const action = actionOf(event);
  if (help.open && action?.name === "help") {
    help.close();
    return;
  }
  if (action === null || help.open || isTaken(event) || !(shortcuts.checked || action.name === "help")) {
    return;
  }
  event.preventDefault();
  // A key that is held down labels one drawing, not all of them.
  if (!event.repeat) {
    perform(action);
  }
}

/** @param {HTMLElement} button */
function clicked({ dataset }) {
  const card = queue.current;
  switch (dataset.action) {
    case "label":
      label(Number(dataset.value));
      break;
    case "keep":
      if (card?.label?.value !== undefined && card.label.value !== null) {
        label(card.label.value);
      }
      break;
    case "again":
      if (card !== undefined && card.said !== null) {
        label(card.said);
      }
      break;
    case "look":
      settle();
      queue.lookAgain(true);
      break;
    case "all":
      queue.setOrder("disagreement");
      break;
    case "confirm":
    case "visitor":
    case "number":
    case "flag":
    case "skip":
    case "undo":
    case "help":
      perform({ name: dataset.action });
      break;
  }
  if (dataset.order !== undefined) {
    menu.open = false;
    settle();
    queue.setOrder(dataset.order);
  }
}

function renew() {
  renewed = performance.now();
  queue.renew();
}

document.addEventListener("keydown", pressed);
note.addEventListener("change", saveNote);
note.addEventListener("keydown", (event) => {
  if (event.key === "Enter" || event.key === "Escape") {
    note.blur();
  }
});
digit.addEventListener("change", () => location.assign(digit.value === "" ? "?" : `?digit=${digit.value}`));
root.addEventListener("click", (event) => {
  const button = event.target instanceof Element ? event.target.closest("button") : null;
  if (button !== null) {
    clicked(button);
  }
});
// A button pressed by mouse or finger must not take the focus, or Enter would press it again.
root.addEventListener("mousedown", (event) => {
  if (event.target instanceof Element && event.target.closest("[data-slot=keys] button, [data-slot=note] button, [data-action=visitor]")) {
    event.preventDefault();
  }
});
document.addEventListener("click", (event) => {
  if (event.target instanceof Node && !menu.contains(event.target)) {
    menu.open = false;
  }
});
for (const name of ["keydown", "pointerdown"]) {
  document.addEventListener(name, () => {
    touched = performance.now();
    if (touched - renewed > 2 * RENEW_MS) {
      renew();
    }
  });
}

shortcuts.checked = localStorage.getItem(SHORTCUTS) !== "off";
shortcuts.addEventListener("change", () => localStorage.setItem(SHORTCUTS, shortcuts.checked ? "on" : "off"));

setInterval(() => view.tick(queue), TICK_MS);
setInterval(() => {
  if (performance.now() - touched > IDLE_MS) {
    return;
  }
  if (queue.isDone && document.visibilityState === "visible") {
    queue.lookAgain(false);
  } else {
    renew();
  }
}, RENEW_MS);
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible" && performance.now() - renewed > RENEW_MS) {
    renew();
  }
});
window.addEventListener("beforeunload", (event) => {
  if (queue.hasUnsent) {
    event.preventDefault();
  }
});
window.addEventListener("pagehide", () => queue.leave());
window.addEventListener("pageshow", (event) => {
  if (event.persisted) {
    // This page's claims have been released.
    location.reload();
  }
});

root.hidden = false;
queue.refill();
document.documentElement.dataset.ready = "";
