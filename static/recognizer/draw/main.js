/** Ties the page together: draw, ask, show, store. */

import { AnswerView } from "./answer/answer.js";
import { Api } from "./api.js";
import { byId, slot } from "../shared/dom.js";
import { HistoryView } from "./history.js";
import { choice, choose, storeStrokes, storedStrokes } from "./offline/storage.js";
import { RequestError } from "../shared/http.js";
import { KeyboardPen } from "./canvas/keyboard_pen.js";
import { Learning } from "./feedback/learning.js";
import { LiveGuess } from "./answer/live.js";
import { Outbox } from "./offline/outbox.js";
import { Pad } from "./canvas/pad.js";
import { Picture } from "./picture.js";
import { NumberView } from "./answer/number.js";
import { offerCopies } from "./answer/share.js";
import { toSend } from "./canvas/sending.js";
import { Shortcuts } from "./shortcuts.js";
import { StrokeModel } from "./canvas/strokes.js";
import { readJson } from "../shared/texts.js";
import { Tools } from "./canvas/tools.js";
import { uuid } from "../shared/uuid.js";

/** @typedef {import("./offline/storage.js").Waiting} Waiting */
/** @typedef {import("./types.js").Prediction} Prediction */
/** @typedef {import("./types.js").Preview} Preview */

/** @type {import("./types.js").Texts} */
const texts = readJson("texts");
const board = byId("board", HTMLElement);
const predict = byId("predict", HTMLButtonElement);
const upload = byId("upload", HTMLFormElement);
const liveSwitch = byId("live", HTMLInputElement);
const message = slot(board, "message");
const uploadMessage = slot(upload, "message");
const liveNote = slot(document, "live-note");
const status = byId("status", HTMLElement);

const { predictionsUrl, previewUrl, memoryUrl } = board.dataset;
const model = new StrokeModel();
const api = new Api(
  { predictions: String(predictionsUrl), preview: String(previewUrl), memory: String(memoryUrl) },
  texts.error,
);
const answerPanel = byId("answer", HTMLElement);
const number = new NumberView(answerPanel, (id, value) => api.suggestNumber(id, value));
const answer = new AnswerView(answerPanel, texts, number);
const learning = new Learning(api, texts, { announce, learned });
const history = new HistoryView(byId("history", HTMLElement), api, learning.suggestions, texts, {
  announce,
  open: (entry) => learning.open(entry),
  close: () => learning.close(),
  removed,
});
const pad = new Pad(byId("canvas", HTMLCanvasElement), model);
const keyboardPen = new KeyboardPen(pad, byId("cursor", HTMLElement), (name) => announce(texts.tools[name]));
const tools = new Tools(pad);
/** @type {LiveGuess<Preview>} */
const live = new LiveGuess({ ask: askForGuess, show: showGuess, pauseOf });
const picture = new Picture(upload, board, { texts, look: lookAtPicture, send: predictPicture, complain, announce });
const outbox = new Outbox({ send: sendWaiting });

let busy = false;
/** The revision of the drawing whose answer is shown, and the id of that answer. */
let answered = -1;
let answeredId = "";
/** The key of the drawing on the canvas that waits for the network, if it does. */
let waitingKey = "";
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

/** @param {string} sentence */
function complain(sentence) {
  uploadMessage.textContent = sentence;
}

// The drawing -----------------------------------------------------------------------------------

function drawingChanged() {
  board.toggleAttribute("data-drawn", model.newest !== null);
  message.textContent = "";
  waitingKey = "";
  // What was asked is about an earlier drawing; the pen is still down.
  live.cancel();
  if (!model.isEmpty && !busy && model.revision !== answered) {
    answer.markChanged();
    learning.markChanged();
  }
}

function strokeEnded() {
  const isAnswered = model.revision === answered;
  storeStrokes(model.isEmpty || isAnswered ? null : model);
  if (model.isEmpty) {
    answered = -1;
    answer.reset();
    learning.reset();
  } else if (!isAnswered && !busy) {
    live.request();
  }
}

function clearDrawing() {
  keyboardPen.lift();
  if (picture.isShown) {
    picture.cancel();
  }
  answered = -1;
  answer.reset();
  learning.reset();
  if (pad.clear()) {
    announce(texts.cleared);
  }
}

/**
 * @param {StrokeModel} drawing
 * @returns {import("./types.js").SentDrawing}
 */
function sent(drawing) {
  const found = toSend(drawing.strokes);
  if (found === null) {
    throw new RequestError(texts.hidden_canvas, "refused", { code: "hidden_canvas" });
  }
  return found;
}

// The live guess --------------------------------------------------------------------------------

/** @param {AbortSignal} signal */
function askForGuess(signal) {
  return api.previewDrawing(sent(model), signal);
}

/** @param {Preview} preview */
function showGuess(preview) {
  if (busy || model.isEmpty) {
    return;
  }
  answered = -1;
  liveNote.textContent = texts.live.hint;
  answer.guess(preview);
  learning.reset();
}

/** @param {unknown} error */
function pauseOf(error) {
  if (!(error instanceof RequestError)) {
    throw error;
  }
  if (!error.isTemporary) {
    return null;
  }
  liveNote.textContent = texts.live.pauses;
  return error.retryAfter;
}

function switchLive() {
  live.isOn = liveSwitch.checked;
  choose("live", live.isOn);
  liveNote.textContent = live.isOn ? texts.live.hint : texts.live.off;
  if (live.isOn && !model.isEmpty && model.revision !== answered) {
    live.request();
  } else {
    live.cancel();
  }
}

// The answer ------------------------------------------------------------------------------------

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
 * @param {(error: RequestError) => void} refused
 * @param {(prediction: Prediction) => void} show
 */
async function ask(question, refused, show) {
  message.textContent = "";
  uploadMessage.textContent = "";
  live.cancel();
  setBusy(true);
  try {
    const prediction = await question();
    history.prepend(prediction);
    show(prediction);
  } catch (error) {
    if (!(error instanceof RequestError)) {
      throw error;
    }
    refused(error);
  } finally {
    setBusy(false);
  }
}

/** @param {Prediction} prediction */
function showAnswer(prediction) {
  answeredId = prediction.id;
  liveNote.textContent = live.isOn ? texts.live.hint : texts.live.off;
  lastAnnouncement = answer.show(prediction);
  learning.show(prediction);
  announce(lastAnnouncement);
}

function predictDrawing() {
  if (busy) {
    return;
  }
  keyboardPen.lift();
  if (model.isEmpty) {
    message.textContent = texts.empty_canvas;
    return;
  }
  if (model.revision === answered) {
    // A second click on the same drawing would only store it twice, unless the site has learned in between.
    announce(lastAnnouncement);
    return;
  }
  if (waitingKey && outbox.isSending) {
    // It is on its way. Sent twice at once by a new visitor, who has no cookie yet, it would be stored twice.
    return;
  }
  const { revision } = model;
  const key = waitingKey || uuid();
  const drawing = { key, strokes: model.toJSON() };
  ask(
    () => api.predictDrawing(sent(model), key),
    (error) => {
      message.textContent = `${error.message} ${texts.kept}`;
      if (error.isTemporary) {
        message.textContent += ` ${texts.waiting}`;
        waitingKey = model.revision === revision ? key : "";
        outbox.add(drawing);
      }
    },
    (prediction) => drawingAnswered(revision, prediction),
  );
}

/**
 * @param {number} revision of the drawing that was sent
 * @param {Prediction} prediction
 */
function drawingAnswered(revision, prediction) {
  waitingKey = "";
  if (model.isEmpty) {
    // Cleared in the meantime: the answer is in the history, but nothing is left to show it beside.
    return;
  }
  answered = revision;
  showAnswer(prediction);
  if (model.revision === revision) {
    storeStrokes(null);
  } else {
    answer.markChanged();
    learning.markChanged();
    live.request();
  }
}

/**
 * @param {Waiting} drawing
 * @returns {Promise<"sent" | "refused" | "later">}
 */
async function sendWaiting({ key, strokes }) {
  if (busy && key === waitingKey) {
    // The visitor has pressed Predict again: that request is under way.
    return "later";
  }
  const waiting = new StrokeModel();
  if (!waiting.restore(strokes)) {
    return "refused";
  }
  try {
    const prediction = await api.predictDrawing(sent(waiting), key);
    history.prepend(prediction);
    if (key === waitingKey) {
      message.textContent = "";
      drawingAnswered(model.revision, prediction);
    } else {
      announce(texts.sent_later);
    }
    return "sent";
  } catch (error) {
    if (!(error instanceof RequestError)) {
      throw error;
    }
    return error.isTemporary ? "later" : "refused";
  }
}

/**
 * A drawing, or all of them, has been deleted.
 *
 * @param {string | null} id null: all
 */
function removed(id) {
  if (id === null || id === answeredId) {
    answered = -1;
    answeredId = "";
    answer.reset();
    learning.reset();
  }
  learning.personalLearning.refresh();
}

// A picture -------------------------------------------------------------------------------------

/**
 * @param {File} file
 * @param {AbortSignal} signal
 */
async function lookAtPicture(file, signal) {
  live.cancel();
  const preview = await api.previewFile(file, signal);
  if (!signal.aborted && !busy) {
    answered = -1;
    liveNote.textContent = texts.live.hint;
    answer.guess(preview);
    learning.reset();
  }
  return preview;
}

/** @param {File} file */
function predictPicture(file) {
  if (busy) {
    return;
  }
  ask(
    () => api.predictFile(file),
    (error) => complain(error.message),
    (prediction) => {
      answered = -1;
      picture.cancel();
      showAnswer(prediction);
    },
  );
}

/** A correction may have changed the answer to this drawing: it may be sent again. */
function learned() {
  answered = -1;
}

// The start -------------------------------------------------------------------------------------

pad.addEventListener("change", drawingChanged);
pad.addEventListener("stroke", strokeEnded);
predict.addEventListener("click", predictDrawing);
liveSwitch.addEventListener("change", switchLive);
offerCopies(answerPanel, texts, announce);
new Shortcuts({
  predict: predictDrawing,
  clear: clearDrawing,
  undo: () => pad.undo() && announce(texts.tools.undone),
  redo: () => pad.redo() && announce(texts.tools.redone),
  brush: (step) => tools.changeBrush(step),
  eraser: () => tools.setErasing(pad.tool === "pen"),
  areLettersOn: () => learning.keys.isOn,
  isModal: () => learning.isModal,
  // While an answer is on its way, a key could be meant for that one.
  other: (event) => (!busy || learning.isModal) && learning.takeKey(event),
});
liveSwitch.checked = choice("live", true);
live.isOn = liveSwitch.checked;
if (answerPanel.dataset.verdict === "none") {
  liveNote.textContent = live.isOn ? texts.live.hint : texts.live.off;
  pad.restore(storedStrokes());
}
outbox.flush();
// The page opens with an answer when a picture was sent without JavaScript; from here on the canvas is in charge.
document.documentElement.dataset.ready = "";
