/**
 * The drawing as vectors: no DOM, no pixels, so that it survives a resize and can be tested anywhere.
 *
 * Lengths are fractions of the canvas' width, x to the right and y down, so (0, 0) is the top left corner and
 * (1, 1) the bottom right one. A captured pointer may leave the canvas: such points lie outside 0..1.
 */

/** @typedef {import("./types.js").Point} Point */
/** @typedef {import("./types.js").Stroke} Stroke */

/** Brush width as a fraction of the canvas' width. */
export const BRUSH_WIDTH = 0.07;

export class StrokeModel {
  constructor() {
    /** @type {Stroke[]} */
    this.strokes = [];
    /** Grows with every change: two drawings with the same revision are the same drawing. */
    this.revision = 0;
  }

  get isEmpty() {
    return this.strokes.length === 0;
  }

  /**
   * Put the pen down.
   *
   * @param {Point} point
   * @param {number} [width]
   */
  begin(point, width = BRUSH_WIDTH) {
    this.strokes.push({ width, points: [point] });
    this.revision += 1;
  }

  /**
   * Continue the newest stroke. Points that repeat the one before add nothing and are left out.
   *
   * @param {Point[]} points
   * @returns {boolean} whether the stroke grew
   */
  extend(points) {
    const stroke = this.strokes.at(-1);
    if (stroke === undefined) {
      return false;
    }
    const before = stroke.points.length;
    for (const point of points) {
      const last = stroke.points[stroke.points.length - 1];
      if (point.x !== last.x || point.y !== last.y) {
        stroke.points.push(point);
      }
    }
    const grew = stroke.points.length > before;
    if (grew) {
      this.revision += 1;
    }
    return grew;
  }

  clear() {
    this.strokes = [];
    this.revision += 1;
  }
}
