/** The canvas: pointers in, ink on the screen. */

import { paintStroke, paintStrokes } from "./paint.js";

/** @typedef {import("./strokes.js").StrokeModel} StrokeModel */
/** @typedef {import("./types.js").Point} Point */

const MAIN_BUTTON = 0;

/** Takes drawing from one mouse, finger or pen at a time, and keeps the canvas as sharp as the screen. */
export class Pad {
  /**
   * @param {HTMLCanvasElement} canvas
   * @param {StrokeModel} model
   * @param {() => void} onChange called when the drawing changed
   */
  constructor(canvas, model, onChange) {
    this.canvas = canvas;
    this.model = model;
    this.onChange = onChange;
    this.context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    /** @type {number | null} */
    this.pointer = null;
    /** How many points of the newest stroke are on the canvas. */
    this.painted = 0;
    this.frame = 0;

    canvas.addEventListener("pointerdown", (event) => this.#down(event));
    canvas.addEventListener("pointermove", (event) => this.#move(event));
    for (const name of ["pointerup", "pointercancel", "lostpointercapture"]) {
      canvas.addEventListener(name, (event) => this.#up(/** @type {PointerEvent} */ (event)));
    }
    canvas.addEventListener("contextmenu", (event) => event.preventDefault());
    // A touch here is a stroke and no gesture. Otherwise a browser may take a quick stroke for a fling,
    // and the tap on Predict that follows for the finger that stops it.
    canvas.addEventListener("touchstart", (event) => event.preventDefault(), { passive: false });

    new ResizeObserver(() => this.#fit()).observe(canvas);
    this.#watchDensity();
    for (const query of ["(prefers-color-scheme: dark)", "(forced-colors: active)"]) {
      matchMedia(query).addEventListener("change", () => this.repaint());
    }
    this.#fit();
  }

  clear() {
    this.pointer = null;
    this.model.clear();
    this.repaint();
    this.onChange();
  }

  /** Paint everything anew, in the page's ink: it differs between light and dark. */
  repaint() {
    cancelAnimationFrame(this.frame);
    this.frame = 0;
    this.context.strokeStyle = getComputedStyle(this.canvas).color;
    this.context.clearRect(0, 0, this.canvas.width, this.canvas.height);
    paintStrokes(this.context, this.model.strokes, this.canvas.width);
    this.painted = this.model.strokes.at(-1)?.points.length ?? 0;
  }

  /** Give the canvas as many pixels as the screen has under it. Setting its size empties it, so only when it differs. */
  #fit() {
    const side = Math.max(1, Math.round(this.canvas.clientWidth * devicePixelRatio));
    if (this.canvas.width !== side || this.canvas.height !== side) {
      this.canvas.width = side;
      this.canvas.height = side;
      this.repaint();
    }
  }

  /** Zooming, or moving the window to another screen, changes the density but not the canvas' size. */
  #watchDensity() {
    matchMedia(`(resolution: ${devicePixelRatio}dppx)`).addEventListener(
      "change",
      () => {
        this.#fit();
        this.#watchDensity();
      },
      { once: true },
    );
  }

  /**
   * @param {PointerEvent} event
   * @returns {Point}
   */
  #point(event) {
    const box = this.canvas.getBoundingClientRect();
    return {
      x: (event.clientX - box.left) / box.width,
      y: (event.clientY - box.top) / box.width,
      pressure: event.pressure,
    };
  }

  /** @param {PointerEvent} event */
  #down(event) {
    if (this.pointer !== null || event.button !== MAIN_BUTTON) {
      return;
    }
    // Without it a mouse would start to select text beside the canvas.
    event.preventDefault();
    this.pointer = event.pointerId;
    this.canvas.setPointerCapture(event.pointerId);
    this.model.begin(this.#point(event));
    this.painted = 0;
    this.#schedule();
    this.onChange();
  }

  /** @param {PointerEvent} event */
  #move(event) {
    if (event.pointerId !== this.pointer) {
      return;
    }
    const coalesced = event.getCoalescedEvents?.() ?? [];
    const events = coalesced.length > 0 ? coalesced : [event];
    if (this.model.extend(events.map((each) => this.#point(each)))) {
      this.#schedule();
      this.onChange();
    }
  }

  /** @param {PointerEvent} event */
  #up(event) {
    if (event.pointerId !== this.pointer) {
      return;
    }
    this.pointer = null;
    // While it grew, the stroke's end was painted straight: now paint it as it is.
    this.repaint();
  }

  #schedule() {
    if (this.frame === 0) {
      this.frame = requestAnimationFrame(() => this.#paintNews());
    }
  }

  /** Ink covers ink, so a growing stroke needs only its news painted. */
  #paintNews() {
    this.frame = 0;
    const stroke = this.model.strokes.at(-1);
    if (stroke !== undefined) {
      paintStroke(this.context, stroke, this.canvas.width, this.painted);
      this.painted = stroke.points.length;
    }
  }
}
