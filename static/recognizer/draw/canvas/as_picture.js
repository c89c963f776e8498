/** A drawing as a picture, for one that is too long to be sent as strokes. Loaded when there is one. */

import { paintStrokes } from "./paint.js";

/** @typedef {import("../types.js").SentDrawing} SentDrawing */
/** @typedef {import("../types.js").Stroke} Stroke */

/** Side in pixels of the image that is sent: what the server keeps at most, so that it need not scale it. */
const SENT_SIDE = 512;

/** How far a level may be off, of 255, when a canvas is read back: a browser that changes the lowest bits does no harm. */
const TOLERANCE = 16;

/**
 * The drawing in black on white, whatever the page's colours and the screen's density are.
 *
 * @param {Stroke[]} strokes
 * @param {number} [side] in pixels
 * @returns {HTMLCanvasElement}
 */
function toCanvas(strokes, side = SENT_SIDE) {
  const canvas = document.createElement("canvas");
  canvas.width = side;
  canvas.height = side;
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.strokeStyle = "#000";
  paintStrokes(context, strokes, side);
  // The paper goes under the ink at last: an eraser would have rubbed it away.
  context.globalCompositeOperation = "destination-over";
  context.fillStyle = "#fff";
  context.fillRect(0, 0, side, side);
  return canvas;
}

/**
 * @param {Stroke[]} strokes
 * @param {number} [side] in pixels
 * @returns {string} a PNG as a data URL
 */
export function toDataUrl(strokes, side) {
  return toCanvas(strokes, side).toDataURL("image/png");
}

/**
 * @param {Stroke[]} strokes
 * @returns {SentDrawing | null} null where the browser hides the pixels of a canvas
 */
export function toPicture(strokes) {
  return canReadBack() ? { image: toDataUrl(strokes) } : null;
}

/**
 * Whether the pixels of a canvas can be read. Some browsers give noise or stripes instead, so that sites can't recognise
 * them by their pixels: paint white beside black and look.
 */
function canReadBack() {
  const side = 16;
  const canvas = document.createElement("canvas");
  canvas.width = side;
  canvas.height = side;
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.fillStyle = "#fff";
  context.fillRect(0, 0, side, side);
  context.fillStyle = "#000";
  context.fillRect(0, 0, side / 2, side);
  const { data } = context.getImageData(0, 0, side, side);
  return data.every((level, index) => {
    const isBlack = (index >> 2) % side < side / 2 && index % 4 < 3;
    return Math.abs(level - (isBlack ? 0 : 255)) <= TOLERANCE;
  });
}
