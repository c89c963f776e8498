/** Ties the page together: draw, guess, save, correct. */

import { AnswerView } from "./answer/answer.js";
import { Api } from "./api.js";
import { byId, slot } from "../shared/dom.js";
import { choice, choose, storeStrokes, storedStrokes } from "./offline/storage.js";
import { lazily, loadOnUse, loadStyles } from "../shared/lazy.js";
import { localPath, RequestError } from "../shared/http.js";
import { Learning } from "./feedback/learning.js";
import { LiveGuess } from "./answer/live.js";
import { pack, StrokeModel } from "./canvas/strokes.js";
import { Pad } from "./canvas/pad.js";
import { NumberView } from "./answer/number.js";
import { offerPictures } from "./pictures.js";
import { readJson } from "../shared/texts.js";
import { Saving } from "./saving.js";
import { Shortcuts } from "./shortcuts.js";
import { Tools } from "./canvas/tools.js";
import { toSend } from "./canvas/sending.js";

/** @typedef {import("./types.js").Job} Job */
/** @typedef {import("./types.js").Label} Label */
/** @typedef {import("./types.js").Prediction} Prediction */
/** @typedef {import("./types.js").Preview} Preview */
/** @typedef {import("./types.js").SentDrawing} SentDrawing */
/** @typedef {import("./types.js").Stroke} Stroke */

/** @type {import("./types.js").Texts} */
const texts = readJson("texts");
const board = byId("board", HTMLElement);
const boardPicture = byId("board-picture", HTMLImageElement);
const saveButton = byId("save", HTMLButtonElement);
const liveSwitch = byId("live", HTMLInputElement);
const historySection = byId("history", HTMLElement);
const answerPanel = byId("answer", HTMLElement);
const message = slot(answerPanel, "message");
const liveNote = slot(answerPanel, "live-note");
const status = byId("status", HTMLElement);

const { predictionsUrl, previewUrl, memoryUrl } = board.dataset;
const api = new Api(
  { predictions: String(predictionsUrl), preview: String(previewUrl), memory: String(memoryUrl) },
  texts.error,
);
const model = new StrokeModel();
const number = new NumberView(byId("number", HTMLFormElement));
const answer = new AnswerView(answerPanel, texts, number);
const learning = new Learning(api, texts, number, { announce, chosen: save, learned: askAgain });
const pad = new Pad(byId("canvas", HTMLCanvasElement), model, () => saving.of(model.revision) !== undefined);
let liftPen = () => {};
const keyboardPen = lazily(async () => {
  const { KeyboardPen } = await import("./canvas/keyboard_pen.js");
  const pen = new KeyboardPen(pad, byId("cursor", HTMLElement), (name) => announce(texts.tools[name]));
  liftPen = () => pen.lift();
  return pen;
});
const tools = new Tools(pad, { clear: clearDrawing });
/** @type {LiveGuess<Preview>} */
const live = new LiveGuess({ ask: askForGuess, show: showGuess, pauseOf });
const saving = new Saving({ send, changed, stored, failed });
const styles = lazily(() => loadStyles(String(historySection.dataset.styles)));
const history = lazily(async () => {
  const [{ HistoryView }] = await Promise.all([import("./history.js"), styles()]);
  learning.opened = learning.feedbackIn("opened-feedback");
  return new HistoryView(historySection, api, learning.suggestions, texts, learning.opened, { announce, removed });
});
const pictures = offerPictures(byId("upload", HTMLFormElement), board, {
  texts,
  look: lookAtPicture,
  send: savePicture,
  removed: showCanvas,
  announce,
});

/** The newest guess, and the revision of the drawing that it is about. */
let guess = { revision: -1, preview: /** @type {Preview | null} */ (null) };
/** Why there is no guess; empty where there is one, or soon will be. */
let pause = "";
/** Whether the panel is about something else than the drawing on the canvas: a picture, or the drawing of a link. */
let isAboutOther = answerPanel.dataset.verdict !== "none";
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

// What is shown ---------------------------------------------------------------------------------

function render() {
  const job = saving.of(model.revision);
  const preview = guess.revision === model.revision ? guess.preview : null;
  const isStored = isAboutOther ? "id" in answerPanel.dataset : Boolean(job?.prediction);
  board.toggleAttribute("data-drawn", model.newest !== null || !boardPicture.hidden);
  board.toggleAttribute("data-saved", isStored || job?.state === "sending");
  slot(saveButton, "label").textContent = texts.save[job?.state === "sending" ? "saving" : isStored ? "saved" : "save"];
  saveButton.setAttribute("aria-disabled", String(job?.state === "sending"));
  if (isAboutOther) {
    return;
  }
  answer.setBusy(job?.state === "sending");
  if (model.isEmpty) {
    answer.reset(prompt());
    learning.reset();
  } else if (job?.prediction) {
    answer.show(job.prediction);
    learning.show(job.prediction);
  } else {
    if (preview !== null) {
      answer.guess(preview);
    } else if (answerPanel.hasAttribute("data-live") && pause === "") {
      answer.markChanged();
    } else {
      answer.reset(pause || prompt());
    }
    learning.offer(preview, job);
  }
}

function prompt() {
  return live.isOn ? texts.prompt : texts.prompt_off;
}

/** From here on the panel is about the drawing on the canvas. */
function showCanvas() {
  isAboutOther = false;
  boardPicture.hidden = true;
  render();
}

/**
 * Show the answer to a picture, and the picture where the canvas is empty.
 *
 * @param {Prediction} prediction
 */
function showPicture(prediction) {
  isAboutOther = true;
  boardPicture.hidden = model.newest !== null;
  boardPicture.src = localPath(prediction.image_url);
  boardPicture.dataset.source = prediction.source;
  board.toggleAttribute("data-drawn", true);
  lastAnnouncement = answer.show(prediction);
  learning.show(prediction);
  render();
}

// The drawing -----------------------------------------------------------------------------------

function drawingChanged() {
  const isBegun = model.newest?.points.length === 1;
  if (isBegun || !pad.isDrawing) {
    message.textContent = "";
    showCanvas();
  }
  // What was asked is about an earlier drawing; the pen is still down.
  live.cancel();
}

function strokeEnded() {
  const isUnsaved = !model.isEmpty && saving.of(model.revision) === undefined;
  storeStrokes(isUnsaved ? pack(model.strokes) : null);
  render();
  if (isUnsaved && guess.revision !== model.revision) {
    live.request();
  }
}

function clearDrawing() {
  liftPen();
  pictures.cancel();
  tools.setErasing(false);
  if (pad.clear()) {
    announce(texts.cleared);
  } else {
    showCanvas();
  }
}

/** @param {KeyboardEvent} event */
async function drawByKey(event) {
  if (!/^(Arrow\w+| )$/.test(event.key) || event.altKey || event.ctrlKey || event.metaKey) {
    return;
  }
  event.preventDefault();
  const pen = await keyboardPen().catch(() => null);
  if (pen === null) {
    announce(texts.error.network);
  } else {
    pen.take(event);
  }
}

/**
 * @param {Stroke[]} strokes
 * @returns {Promise<SentDrawing>}
 */
async function toRequest(strokes) {
  const found = toSend(strokes);
  if (found !== null) {
    return found;
  }
  const module = await import("./canvas/as_picture.js").catch(() => null);
  if (module === null) {
    throw new RequestError(texts.error.network, "network");
  }
  const picture = module.toPicture(strokes);
  if (picture === null) {
    throw new RequestError(texts.hidden_canvas, "refused", { code: "hidden_canvas" });
  }
  return picture;
}

// The live guess --------------------------------------------------------------------------------

/** @param {AbortSignal} signal */
async function askForGuess(signal) {
  return api.previewDrawing(await toRequest(model.strokes), signal);
}

/** @param {Preview} preview */
function showGuess(preview) {
  guess = { revision: model.revision, preview };
  setPause("");
  showCanvas();
}

/** @param {unknown} error */
function pauseOf(error) {
  if (!(error instanceof RequestError)) {
    throw error;
  }
  if (!error.isTemporary) {
    // Everything was erased, or the drawing can't be sent.
    answer.reset(error.code === "blank_drawing" ? texts.prompt : error.message);
    learning.reset();
    return null;
  }
  setPause(error.kind === "network" ? texts.live.unreachable : texts.live.pauses);
  render();
  return error.retryAfter;
}

/** @param {string} sentence */
function setPause(sentence) {
  pause = sentence;
  liveNote.textContent = sentence;
}

function switchLive() {
  live.isOn = liveSwitch.checked;
  choose("live", live.isOn);
  setPause("");
  if (!live.isOn) {
    liveNote.textContent = texts.live.off;
  }
  if (!isAboutOther) {
    render();
    askAgain();
  }
}

/** Ask for a guess at the drawing, which may be another one now, unless it is saved or still being drawn. */
function askAgain() {
  if (model.isEmpty || pad.isDrawing || isAboutOther || saving.of(model.revision) !== undefined) {
    live.cancel();
  } else {
    live.request();
  }
}


// Saving ----------------------------------------------------------------------------------------

/**
 * Save the drawing on the canvas; what is on the canvas stays there whatever comes of it.
 *
 * @param {Label | null} label what the visitor says that it shows
 */
function saveDrawing(label) {
  liftPen();
  const job = saving.of(model.revision);
  if (model.isEmpty) {
    message.textContent = texts.empty_canvas;
  } else if (job?.prediction) {
    announce(lastAnnouncement);
  } else if (job?.state === "sending") {
    saving.say(job, label ?? job.label);
  } else {
    message.textContent = "";
    live.cancel();
    tools.setErasing(false);
    saving.save(model.revision, model.strokes, label);
  }
}

/**
 * Save what the panel is about.
 *
 * @param {Label | null} label what the visitor says that it shows
 */
function save(label) {
  if (isAboutOther && answerPanel.hasAttribute("data-live")) {
    pictures.send(label);
  } else if (isAboutOther && model.isEmpty) {
    announce(texts.save.saved);
  } else {
    saveDrawing(label);
  }
}

/** @param {Job} job */
async function send({ strokes, key }) {
  return api.saveDrawing(await toRequest(strokes), key);
}

/** @param {Job} job */
function changed(job) {
  learning.suggestions.hold(job.key, job.label, job.state === "sending");
  render();
}

/**
 * @param {Job} job
 * @param {Prediction} prediction
 */
function stored(job, prediction) {
  learning.stored(job, prediction);
  if (job.revision === model.revision) {
    message.textContent = "";
    storeStrokes(null);
    lastAnnouncement = prediction.words.announcement;
    showCanvas();
  }
  if (job.label === null) {
    announce(job.revision === model.revision ? lastAnnouncement : texts.sent_later);
  }
  addToHistory(prediction);
}

/**
 * @param {Job} job
 * @param {RequestError} error
 */
function failed(job, error) {
  const isHere = job.revision === model.revision;
  const sentences = [reasonOf(error)];
  if (isHere) {
    sentences.push(texts.kept);
  }
  if (error.isTemporary) {
    sentences.push(error.kind === "network" ? texts.waiting : texts.waiting_soon);
    storeStrokes(isHere ? null : storedStrokes());
  } else if (!isHere) {
    sentences.push(texts.undo_brings_back);
  }
  message.textContent = sentences.join(" ");
}

/** @param {RequestError} error */
function reasonOf(error) {
  if (error.kind === "network") {
    return texts.unreachable;
  }
  // When to try again is nothing to wait for: the page does.
  return error.status === 429 && error.code !== "daily_limit" ? texts.throttled : error.message;
}

/** @param {Prediction} prediction */
async function addToHistory(prediction) {
  (await history()).prepend(prediction);
}

/**
 * A drawing, or all of them, has been deleted.
 *
 * @param {string | null} id null: all
 */
function removed(id) {
  const isShown = id === null || saving.of(model.revision)?.prediction?.id === id || answerPanel.dataset.id === id;
  saving.removed(id);
  if (isShown && !pad.clear()) {
    showCanvas();
  }
  learning.refresh();
}

// A picture -------------------------------------------------------------------------------------

/**
 * @param {File} file
 * @param {AbortSignal} signal
 */
async function lookAtPicture(file, signal) {
  live.cancel();
  const preview = await api.previewFile(file, signal);
  if (!signal.aborted) {
    isAboutOther = true;
    answer.guess(preview);
    learning.offer(preview);
    render();
  }
  return preview;
}

/**
 * @param {File} file
 * @param {Label | null} label
 */
async function savePicture(file, label) {
  answer.setBusy(true);
  try {
    const prediction = await saving.inTurn(() => api.saveFile(file));
    showPicture(prediction);
    addToHistory(prediction);
    learning.suggestions.release(prediction.id, label);
    if (label === null) {
      announce(lastAnnouncement);
    }
  } finally {
    answer.setBusy(false);
  }
}

// The start -------------------------------------------------------------------------------------

pad.addEventListener("change", drawingChanged);
pad.addEventListener("stroke", strokeEnded);
pad.canvas.addEventListener("keydown", drawByKey);
saveButton.addEventListener("click", () => save(null));
liveSwitch.addEventListener("change", switchLive);
learning.suggestions.onChange(() => history().catch(() => null));
loadOnUse(historySection, history, () => {
  slot(historySection, "more-error").textContent = texts.error.network;
});
if (historySection.querySelector(".entry") !== null) {
  history().catch(() => null);
}
const share = lazily(async () => {
  const { offerCopies, offerPublicLink } = await import("./answer/share.js");
  offerCopies(answerPanel, texts, announce);
  offerPublicLink(answer, api, texts, announce);
});
loadOnUse(slot(answerPanel, "actions"), share, () => announce(texts.error.network));
new Shortcuts(styles, {
  save: () => save(null),
  clear: clearDrawing,
  undo: () => pad.undo() && announce(texts.tools.undone),
  redo: () => pad.redo() && announce(texts.tools.redone),
  brush: (step) => tools.changeBrush(step),
  eraser: () => tools.setErasing(pad.tool === "pen"),
  areLettersOn: () => learning.keys.isOn,
  // While the pen is down, a key could be meant for the drawing before.
  other: (event) => !pad.isDrawing && learning.takeKey(event),
});
liveSwitch.checked = choice("live", true);
live.isOn = liveSwitch.checked;
liveNote.textContent = live.isOn ? "" : texts.live.off;
render();
if (!isAboutOther) {
  pad.restore(storedStrokes());
}
saving.resume();
// The page opens with an answer when a picture was sent without JavaScript, or with a link; from here on the canvas is in charge.
document.documentElement.dataset.ready = "";
