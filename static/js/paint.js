/** Strokes to pixels, on the page's canvas and on the one that is sent. */

/** @typedef {import("./types.js").Stroke} Stroke */
/** @typedef {import("./types.js").Point} Point */

/** Side in pixels of the image that is sent: what the server keeps at most, so that it need not scale it. */
const SENT_SIDE = 512;

/**
 * @param {Point} a
 * @param {Point} b
 */
function midpoint(a, b) {
  return { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 };
}

/**
 * Paint a stroke as a smooth line: quadratic curves through the midpoints, with the points themselves as control points.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {Stroke} stroke
 * @param {number} side the canvas' side in pixels
 * @param {number} [from] the first point that is not on the canvas yet
 */
export function paintStroke(context, stroke, side, from = 0) {
  const { points, width } = stroke;
  // Two points back: the curve towards a new point starts at the midpoint before it.
  const start = Math.max(0, from - 2);
  context.lineWidth = width * side;
  context.lineCap = "round";
  context.lineJoin = "round";
  context.beginPath();
  if (points.length === 1) {
    // A line of no length paints nothing: a dot is a disc.
    context.fillStyle = context.strokeStyle;
    context.arc(points[0].x * side, points[0].y * side, (width * side) / 2, 0, 2 * Math.PI);
    context.fill();
    return;
  }
  const first = start === 0 ? points[0] : midpoint(points[start], points[start + 1]);
  context.moveTo(first.x * side, first.y * side);
  for (let i = start + 1; i < points.length - 1; i += 1) {
    const control = points[i];
    const end = midpoint(control, points[i + 1]);
    context.quadraticCurveTo(control.x * side, control.y * side, end.x * side, end.y * side);
  }
  const last = points[points.length - 1];
  context.lineTo(last.x * side, last.y * side);
  context.stroke();
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {Stroke[]} strokes
 * @param {number} side the canvas' side in pixels
 */
export function paintStrokes(context, strokes, side) {
  for (const stroke of strokes) {
    paintStroke(context, stroke, side);
  }
}

/**
 * The drawing in black on white, whatever the page's colours and the screen's density are.
 *
 * @param {Stroke[]} strokes
 * @returns {string} a PNG as a data URL
 */
export function toDataUrl(strokes) {
  const canvas = document.createElement("canvas");
  canvas.width = SENT_SIDE;
  canvas.height = SENT_SIDE;
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.fillStyle = "#fff";
  context.fillRect(0, 0, SENT_SIDE, SENT_SIDE);
  context.strokeStyle = "#000";
  paintStrokes(context, strokes, SENT_SIDE);
  return canvas.toDataURL("image/png");
}
