/** The drawing as the API takes it: as its strokes, which the server draws. */

import { PLAIN_PRESSURE } from "./strokes.js";

/** @typedef {import("../types.js").Point} Point */
/** @typedef {import("../types.js").SentDrawing} SentDrawing */
/** @typedef {import("../types.js").Stroke} Stroke */

/** What the API takes, and the grid that the server rounds coordinates to. */
const MOST_STROKES = 64;
const MOST_POINTS = 10_000;
const UNITS = 2048;

/**
 * @param {Stroke[]} strokes one or more
 * @returns {SentDrawing | null} null where they are too many: `toPicture` takes those
 */
export function toSend(strokes) {
  const points = strokes.reduce((sum, stroke) => sum + stroke.points.length, 0);
  return strokes.length <= MOST_STROKES && points <= MOST_POINTS ? strokesToSend(strokes) : null;
}

/** @param {Stroke[]} strokes */
function strokesToSend(strokes) {
  const start = strokes.flatMap(({ points }) => points).find(({ time }) => time !== undefined)?.time ?? 0;
  const erasers = strokes.flatMap(({ tool }, index) => (tool === "eraser" ? [index] : []));
  return {
    strokes: strokes.map(({ points }) => points.map((point) => pointToSend(point, start))),
    width: strokes.map(({ width }) => Math.round(UNITS * width)),
    size: [UNITS, UNITS],
    ...(erasers.length > 0 ? { erasers } : {}),
  };
}

/**
 * @param {Point} point
 * @param {number} start when the drawing was begun
 */
function pointToSend({ x, y, pressure, time }, start) {
  const sent = [inUnits(x), inUnits(y), time === undefined ? null : time - start];
  if (pressure !== PLAIN_PRESSURE) {
    return [...sent, Math.round(1000 * pressure) / 1000];
  }
  return time === undefined ? sent.slice(0, 2) : sent;
}

/**
 * A pointer may leave the canvas by any distance; the API takes points up to one canvas away.
 *
 * @param {number} share
 */
function inUnits(share) {
  return Math.round(UNITS * Math.min(2, Math.max(-1, share)));
}
