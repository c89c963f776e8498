/** Ties the page together: draw, ask, show, keep. */

import { AnswerView } from "./answer.js";
import { Api, ApiError } from "./api.js";
import { byId, slot } from "./dom.js";
import { HistoryView } from "./history.js";
import { Learning } from "./learning.js";
import { Pad } from "./pad.js";
import { toDataUrl } from "./paint.js";
import { StrokeModel } from "./strokes.js";
import { readTexts } from "./texts.js";

/** @typedef {import("./types.js").Prediction} Prediction */

const texts = readTexts();
const board = byId("board", HTMLElement);
const predict = byId("predict", HTMLButtonElement);
const clear = byId("clear", HTMLButtonElement);
const upload = byId("upload", HTMLFormElement);
const message = slot(board, "message");
const uploadMessage = slot(upload, "message");
const status = byId("status", HTMLElement);

const model = new StrokeModel();
const api = new Api(String(board.dataset.predictionsUrl), String(board.dataset.memoryUrl), texts);
const answer = new AnswerView(byId("answer", HTMLElement), texts);
const learning = new Learning(api, texts, { announce, learned: () => (answered = -1) });
const history = new HistoryView(byId("history", HTMLElement), api, learning.suggestions, texts, {
  announce,
  open: (entry) => learning.open(entry),
});
const pad = new Pad(byId("canvas", HTMLCanvasElement), model, drawingChanged);

let busy = false;
/** The revision of the drawing whose answer is shown. */
let answered = -1;
let lastAnnouncement = "";

/** @param {string} sentence */
function announce(sentence) {
  // A live region that gets the text it already has says nothing: empty it first.
  // What lies behind an open dialog is silent too.
  const region = document.querySelector("dialog[open] [role=status]") ?? status;
  region.textContent = "";
  requestAnimationFrame(() => {
    region.textContent = sentence;
  });
}

function drawingChanged() {
  board.toggleAttribute("data-drawn", !model.isEmpty);
  message.textContent = "";
  if (!model.isEmpty && !busy) {
    markChanged();
  }
}

function markChanged() {
  answer.markChanged();
  learning.markChanged();
}

/** @param {boolean} now */
function setBusy(now) {
  busy = now;
  predict.setAttribute("aria-disabled", String(now));
  slot(predict, "label").textContent = now ? texts.busy : texts.predict;
  answer.setBusy(now);
}

/**
 * Ask once; what is on the canvas stays there whatever comes of it.
 *
 * @param {() => Promise<Prediction>} question
 * @param {(error: ApiError) => void} complain
 * @param {(prediction: Prediction) => void} show
 */
async function ask(question, complain, show) {
  message.textContent = "";
  uploadMessage.textContent = "";
  setBusy(true);
  try {
    const prediction = await question();
    history.prepend(prediction);
    show(prediction);
  } catch (error) {
    if (!(error instanceof ApiError)) {
      throw error;
    }
    complain(error);
  } finally {
    setBusy(false);
  }
}

/** @param {Prediction} prediction */
function showAnswer(prediction) {
  lastAnnouncement = [answer.show(prediction), learning.show(prediction)].join(" ").trim();
  announce(lastAnnouncement);
}

function predictDrawing() {
  if (busy) {
    return;
  }
  if (model.isEmpty) {
    message.textContent = texts.empty_canvas;
    return;
  }
  if (model.revision === answered) {
    // A second click on the same drawing would only store it twice, unless the site has learned in between.
    announce(lastAnnouncement);
    return;
  }
  const { revision } = model;
  const image = toDataUrl(model.strokes);
  ask(
    () => api.predictDrawing(image),
    (error) => {
      message.textContent = `${error.message} ${texts.kept}`;
    },
    (prediction) => {
      if (model.isEmpty) {
        // Cleared in the meantime: the answer is in the history, but nothing is left to show it beside.
        return;
      }
      answered = revision;
      showAnswer(prediction);
      if (model.revision !== revision) {
        markChanged();
      }
    },
  );
}

function clearDrawing() {
  pad.clear();
  answered = -1;
  answer.reset();
  learning.reset();
  announce(texts.cleared);
}

/** @param {SubmitEvent} event */
function predictUpload(event) {
  event.preventDefault();
  if (busy) {
    return;
  }
  const field = /** @type {HTMLInputElement} */ (upload.elements.namedItem("image"));
  const file = field.files?.[0];
  if (file === undefined) {
    uploadMessage.textContent = texts.choose_image;
    return;
  }
  ask(
    () => api.predictFile(file),
    (error) => {
      uploadMessage.textContent = error.message;
    },
    (prediction) => {
      answered = -1;
      showAnswer(prediction);
    },
  );
}

/**
 * Keys that work anywhere on the page, except where they already mean something.
 *
 * @param {KeyboardEvent} event
 */
function onKey(event) {
  if (event.defaultPrevented || event.repeat || event.altKey || event.ctrlKey || event.metaKey) {
    return;
  }
  const target = /** @type {Element} */ (event.target);
  if (target.closest("input:not([type=checkbox]), textarea, select, [contenteditable]") !== null) {
    return;
  }
  if (learning.isModal) {
    learning.takeKey(event);
  } else if (event.key === "Enter" && target.closest("a, button, summary") === null) {
    event.preventDefault();
    predictDrawing();
  } else if (event.key === "Escape" || event.key === "Delete") {
    event.preventDefault();
    clearDrawing();
  } else if (!busy) {
    // While the site reads, a key could be meant for the answer that is on its way.
    learning.takeKey(event);
  }
}

predict.addEventListener("click", predictDrawing);
clear.addEventListener("click", clearDrawing);
upload.addEventListener("submit", predictUpload);
document.addEventListener("keydown", onKey);
// The page opens with an answer when a picture was sent without JavaScript; from here on the canvas is in charge.
document.documentElement.dataset.ready = "";
