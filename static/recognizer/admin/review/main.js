/** Ties the review queue together: keys, buttons, touch, time, leaving. */

import { byId } from "../../shared/dom.js";
import { Desk } from "./queue.js";
import { actionOf, isTaken } from "./keys.js";
import { readJson } from "../../shared/texts.js";
import { View } from "./view.js";

/** @typedef {import("./keys.js").Action} Action */
/** @typedef {import("./types.js").Setup} Setup */

// The claims run out after ten minutes.
const RENEW_MS = 60_000;
// Who has not touched the page for so long has left it open: the drawings go to the others.
const IDLE_MS = 30 * 60_000;
const TICK_MS = 2_000;
const SHORTCUTS = "review-shortcuts";

const root = byId("review", HTMLElement);
const menu = byId("order", HTMLDetailsElement);
const help = byId("help", HTMLDialogElement);
const shortcuts = byId("shortcuts", HTMLInputElement);

/** @type {Setup} */
const setup = readJson("review-setup");
const view = new View(setup.texts);
const desk = new Desk(
  setup,
  menu.dataset.order ?? "",
  show,
  (text, isLoggedOut) => view.complain(text, isLoggedOut),
);
let touched = performance.now();
let renewed = performance.now();

let isScrolled = false;

function show() {
  view.render(desk);
  if (!isScrolled && desk.current !== undefined) {
    isScrolled = true;
    if (matchMedia("(max-width: 1023px)").matches) {
      // The admin's head would leave a small screen no room for the drawing.
      root.scrollIntoView();
    }
  }
}

/** @param {number} value */
function label(value) {
  view.complain("");
  desk.label(value);
}

/** @param {Action} action */
function perform(action) {
  switch (action.name) {
    case "label":
      label(action.value);
      break;
    case "confirm":
      if (desk.current !== undefined) {
        label(desk.current.drawing.answered);
      }
      break;
    case "skip":
      view.complain("");
      desk.skip();
      break;
    case "undo":
      view.complain("");
      desk.undo();
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
  const card = desk.current;
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
      view.complain("");
      desk.lookAgain(true);
      break;
    case "all":
      desk.setOrder("disagreement");
      break;
    case "confirm":
    case "skip":
    case "undo":
    case "help":
      perform({ name: dataset.action });
      break;
  }
  if (dataset.order !== undefined) {
    menu.open = false;
    view.complain("");
    desk.setOrder(dataset.order);
  }
}

function renew() {
  renewed = performance.now();
  desk.renew();
}

document.addEventListener("keydown", pressed);
root.addEventListener("click", (event) => {
  const button = event.target instanceof Element ? event.target.closest("button") : null;
  if (button !== null) {
    clicked(button);
  }
});
// A button pressed by mouse or finger must not take the focus, or Enter would press it again.
root.addEventListener("mousedown", (event) => {
  if (event.target instanceof Element && event.target.closest("[data-slot=keys] button, [data-slot=note] button")) {
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

setInterval(() => view.tick(desk), TICK_MS);
setInterval(() => {
  if (performance.now() - touched > IDLE_MS) {
    return;
  }
  if (desk.isDone && document.visibilityState === "visible") {
    desk.lookAgain(false);
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
  if (desk.hasUnsent) {
    event.preventDefault();
  }
});
window.addEventListener("pagehide", () => desk.leave());
window.addEventListener("pageshow", (event) => {
  if (event.persisted) {
    // What this page held has been given back.
    location.reload();
  }
});

root.hidden = false;
desk.refill();
document.documentElement.dataset.ready = "";
