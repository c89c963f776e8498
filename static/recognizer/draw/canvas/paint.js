/** Strokes to pixels. */

/** @typedef {import("../types.js").Stroke} Stroke */
/** @typedef {import("../types.js").Point} Point */

/** A pen that is pressed as hard as it can be draws 1.6 times as wide as a mouse, one that hardly touches 0.4 times. */
const LEAST_WIDTH = 0.4;
const PRESSURE_RANGE = 1.2;

/**
 * @param {Point} a
 * @param {Point} b
 * @returns {Point}
 */
function midpoint(a, b) {
  return { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2, pressure: (a.pressure + b.pressure) / 2 };
}

/** @param {number} pressure 0 to 1 */
function thickness(pressure) {
  return LEAST_WIDTH + PRESSURE_RANGE * pressure;
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
  const { points, tool, width } = stroke;
  context.save();
  if (tool === "eraser") {
    context.globalCompositeOperation = "destination-out";
  }
  context.lineCap = "round";
  context.lineJoin = "round";
  if (points.length === 1) {
    // A line of no length paints nothing: a dot is a disc.
    context.fillStyle = context.strokeStyle;
    context.beginPath();
    context.arc(points[0].x * side, points[0].y * side, (width * side * thickness(points[0].pressure)) / 2, 0, 2 * Math.PI);
    context.fill();
  } else {
    paintLine(context, points, width * side, side, from);
  }
  context.restore();
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {Point[]} points two or more
 * @param {number} width in pixels, of plain pressure
 * @param {number} side
 * @param {number} from
 */
function paintLine(context, points, width, side, from) {
  // Two points back: the curve towards a new point starts at the midpoint before it.
  const start = Math.max(0, from - 2);
  let at = start === 0 ? points[0] : midpoint(points[start], points[start + 1]);
  let pressure = at.pressure;
  context.lineWidth = width * thickness(pressure);
  context.beginPath();
  context.moveTo(at.x * side, at.y * side);
  for (let i = start + 1; i < points.length; i += 1) {
    const control = points[i];
    const isLast = i === points.length - 1;
    const end = isLast ? control : midpoint(control, points[i + 1]);
    if (end.pressure !== pressure) {
      // A path has one width: where it changes, another begins. Round caps join the two.
      context.stroke();
      pressure = end.pressure;
      context.lineWidth = width * thickness(pressure);
      context.beginPath();
      context.moveTo(at.x * side, at.y * side);
    }
    if (isLast) {
      context.lineTo(end.x * side, end.y * side);
    } else {
      context.quadraticCurveTo(control.x * side, control.y * side, end.x * side, end.y * side);
    }
    at = end;
  }
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
