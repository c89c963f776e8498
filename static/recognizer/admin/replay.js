/** Replays the strokes of a drawing on its page: with a button, or by hand with a slider. */

import { paintStrokes } from "../draw/canvas/paint.js";
import { byId, slot } from "../shared/dom.js";
import { readJson } from "../shared/texts.js";

/** @typedef {import("../draw/types.js").Stroke} Stroke */

/**
 * The strokes as the server gives them; `times` has one for each point, in ms since the first.
 *
 * @typedef {object} Recording
 * @property {(number | null)[][][]} strokes of points [x, y, time, pressure]
 * @property {number[]} times
 * @property {number | number[]} width
 * @property {[number, number]} size
 * @property {number[]} [erasers]
 */

const PLAIN_PRESSURE = 0.5;

/** Pixels of the canvas' longer side: twice what the page gives it, for dense screens. */
const SIDE = 640;

/**
 * @param {Recording} recording
 * @param {number} count how many of the points
 * @returns {Stroke[]}
 */
function begun({ strokes, width, size, erasers = [] }, count) {
  let left = count;
  return strokes.flatMap((points, index) => {
    const shown = points.slice(0, Math.max(0, left));
    left -= points.length;
    /** @type {Stroke} */
    const stroke = {
      tool: erasers.includes(index) ? "eraser" : "pen",
      width: (Array.isArray(width) ? width[index] : width) / size[0],
      points: shown.map(([x, y, , pressure]) => ({
        x: Number(x) / size[0],
        y: Number(y) / size[0],
        pressure: pressure ?? PLAIN_PRESSURE,
      })),
    };
    return shown.length > 0 ? [stroke] : [];
  });
}

class Replay {
  /**
   * @param {HTMLElement} figure
   * @param {Recording} recording
   */
  constructor(figure, recording) {
    this.recording = recording;
    this.canvas = /** @type {HTMLCanvasElement} */ (slot(figure, "canvas"));
    this.context = /** @type {CanvasRenderingContext2D} */ (this.canvas.getContext("2d"));
    this.slider = /** @type {HTMLInputElement} */ (slot(figure, "slider"));
    this.play = /** @type {HTMLButtonElement} */ (slot(figure, "play"));
    this.slider.addEventListener("input", () => this.#stopAndShow());
    this.play.addEventListener("click", () => this.#start());
    this.frame = 0;
    const [width, height] = recording.size;
    this.canvas.width = (SIDE * width) / Math.max(width, height);
    this.canvas.height = (SIDE * height) / Math.max(width, height);
    // What moves by itself is not for everyone: the slider shows the same, a step at a time.
    const still = matchMedia("(prefers-reduced-motion: reduce)");
    still.addEventListener("change", () => this.#allow(!still.matches));
    this.#allow(!still.matches);
    this.#show();
    figure.hidden = false;
  }

  /** @param {boolean} motion */
  #allow(motion) {
    this.play.hidden = !motion;
    if (!motion) {
      this.#stopAndShow();
    }
  }

  #start() {
    cancelAnimationFrame(this.frame);
    const begin = performance.now();
    const step = () => {
      const elapsed = performance.now() - begin;
      this.slider.value = String(elapsed);
      this.#show();
      if (elapsed < Number(this.slider.max)) {
        this.frame = requestAnimationFrame(step);
      }
    };
    step();
  }

  #stopAndShow() {
    cancelAnimationFrame(this.frame);
    this.#show();
  }

  #show() {
    const now = Number(this.slider.value);
    const count = this.recording.times.filter((time) => time <= now).length;
    this.context.clearRect(0, 0, this.canvas.width, this.canvas.height);
    this.context.strokeStyle = "#000";
    paintStrokes(this.context, begun(this.recording, count), this.canvas.width);
  }
}

new Replay(byId("replay", HTMLElement), readJson("strokes"));
