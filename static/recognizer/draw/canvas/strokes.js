/**
 * The drawing as vectors: no DOM, no pixels, so that it survives a resize and a reload and can be tested anywhere.
 *
 * Lengths are fractions of the canvas' width, x to the right and y down, so (0, 0) is the top left corner and
 * (1, 1) the bottom right one. A captured pointer may leave the canvas: such points lie outside 0..1.
 */

/** @typedef {import("../types.js").Point} Point */
/** @typedef {import("../types.js").Stroke} Stroke */
/** @typedef {import("../types.js").Tool} Tool */

/**
 * What can be undone: a stroke that was drawn (or erased), or the drawing that was cleared, with no stroke. A stroke
 * that is the first of a new drawing clears the one before it: both are undone together.
 *
 * @typedef {{ revision: number, stroke: Stroke | null, isFirst: boolean }} Step
 */

/** Brush widths as fractions of the canvas' width, thin to thick. */
export const BRUSH_WIDTHS = [0.03, 0.05, 0.07, 0.1, 0.14];
export const DEFAULT_BRUSH = 2;

/** How much wider an eraser is than the brush: one as wide as the line would leave its edges. */
const ERASER_FACTOR = 2;

/** The API takes no stroke that is wider than a quarter of the canvas. */
const WIDEST = 0.24;

/**
 * @param {number} brush as a fraction of the canvas' width
 * @param {Tool} tool
 */
export function strokeWidth(brush, tool) {
  return tool === "eraser" ? Math.min(WIDEST, ERASER_FACTOR * brush) : brush;
}

/** What a mouse reports, and a pen that feels no pressure. */
export const PLAIN_PRESSURE = 0.5;

/** More than a patient person draws: what the browser stores must not grow without limit. */
const MAX_KEPT_POINTS = 50_000;

export class StrokeModel {
  /** @type {Step[]} */
  #done = [];
  /** @type {Step[]} */
  #undone = [];
  #last = 0;

  /** Names the state of the drawing: two states with the same revision are the same drawing, also after undo and redo. */
  get revision() {
    return this.#done.at(-1)?.revision ?? 0;
  }

  /** The strokes since the drawing was last cleared, oldest first. */
  get strokes() {
    const strokes = [];
    for (let i = this.#done.length - 1; i >= 0; i -= 1) {
      const { stroke, isFirst } = this.#done[i];
      if (stroke === null) {
        break;
      }
      strokes.push(stroke);
      if (isFirst) {
        break;
      }
    }
    return strokes.reverse();
  }

  /** The stroke that was begun last, if it has not been undone or cleared. */
  get newest() {
    return this.#done.at(-1)?.stroke ?? null;
  }

  /** Whether nothing was drawn. What was erased to the last line is no empty drawing: only the server sees its pixels. */
  get isEmpty() {
    return !this.strokes.some(({ tool }) => tool === "pen");
  }

  get canUndo() {
    return this.#done.length > 0;
  }

  get canRedo() {
    return this.#undone.length > 0;
  }

  /**
   * Put the pen, or the eraser, down.
   *
   * @param {Point} point
   * @param {{ width?: number, tool?: Tool, isFirst?: boolean }} [options] `isFirst` begins a new drawing
   */
  begin(point, { width = BRUSH_WIDTHS[DEFAULT_BRUSH], tool = "pen", isFirst = false } = {}) {
    this.#do({ tool, width, points: [point] }, isFirst);
  }

  /**
   * Continue the newest stroke. Points that repeat the one before add nothing and are left out.
   *
   * @param {Point[]} points
   * @returns {boolean} whether the stroke grew
   */
  extend(points) {
    const step = this.#done.at(-1);
    if (step === undefined || step.stroke === null) {
      return false;
    }
    const { stroke } = step;
    const before = stroke.points.length;
    for (const point of points) {
      const last = stroke.points[stroke.points.length - 1];
      if (point.x !== last.x || point.y !== last.y) {
        stroke.points.push(point);
      }
    }
    const grew = stroke.points.length > before;
    if (grew) {
      step.revision = this.#next();
    }
    return grew;
  }

  /** Take the newest stroke away for good: it was no stroke but the palm of a hand. */
  drop() {
    if (this.newest !== null) {
      this.#done.pop();
    }
  }

  /** @returns {boolean} whether there was anything to clear */
  clear() {
    if (this.newest === null) {
      return false;
    }
    this.#do(null);
    return true;
  }

  /** @returns {boolean} whether there was anything to undo */
  undo() {
    const step = this.#done.pop();
    if (step !== undefined) {
      this.#undone.push(step);
    }
    return step !== undefined;
  }

  /** @returns {boolean} whether there was anything to redo */
  redo() {
    const step = this.#undone.pop();
    if (step !== undefined) {
      this.#done.push(step);
    }
    return step !== undefined;
  }

  /**
   * Restore stored strokes into this drawing, which is still empty.
   *
   * @param {unknown} stored what `pack` gave, or anything: another version of the page may have written it
   * @returns {boolean} whether there was a drawing in it
   */
  restore(stored) {
    const strokes = unpack(stored);
    if (strokes === null || strokes.length === 0) {
      return false;
    }
    this.#undone = [];
    this.#done = strokes.map((stroke) => ({ revision: this.#next(), stroke, isFirst: false }));
    return true;
  }

  /**
   * @param {Stroke | null} stroke
   * @param {boolean} [isFirst]
   */
  #do(stroke, isFirst = false) {
    this.#done.push({ revision: this.#next(), stroke, isFirst });
    this.#undone = [];
  }

  #next() {
    this.#last += 1;
    return this.#last;
  }
}

/**
 * Strokes as the browser stores them; coordinates with four decimals, a twentieth of a pixel.
 *
 * @param {Stroke[]} strokes
 */
export function pack(strokes) {
  return strokes.map(({ tool, width, points }) => ({
    tool,
    width,
    points: points.map(({ x, y, pressure, time }) => {
      const rounded = [x, y, pressure].map((value) => Math.round(value * 1e4) / 1e4);
      return time === undefined ? rounded : [...rounded, time];
    }),
  }));
}

/**
 * @param {unknown} stored
 * @returns {Stroke[] | null} null where this is no drawing
 */
export function unpack(stored) {
  if (!Array.isArray(stored)) {
    return null;
  }
  let room = MAX_KEPT_POINTS;
  const strokes = [];
  for (const each of stored) {
    const tool = each?.tool;
    const width = each?.width;
    const points = each?.points;
    if ((tool !== "pen" && tool !== "eraser") || !isBetween(width, 0, 1) || width === 0 || !Array.isArray(points)) {
      return null;
    }
    room -= points.length;
    if (points.length === 0 || room < 0 || !points.every(isKeptPoint)) {
      return null;
    }
    strokes.push({
      tool: /** @type {Tool} */ (tool),
      width,
      points: points.map(([x, y, pressure, time]) => (time === undefined ? { x, y, pressure } : { x, y, pressure, time })),
    });
  }
  return strokes;
}

/**
 * @param {unknown} value
 * @param {number} low
 * @param {number} high
 */
function isBetween(value, low, high) {
  return typeof value === "number" && value >= low && value <= high;
}

/** @param {unknown} point */
function isKeptPoint(point) {
  return (
    Array.isArray(point) &&
    (point.length === 3 || (point.length === 4 && isBetween(point[3], 0, Number.MAX_SAFE_INTEGER))) &&
    isBetween(point[0], -10, 11) &&
    isBetween(point[1], -10, 11) &&
    isBetween(point[2], 0, 1)
  );
}
