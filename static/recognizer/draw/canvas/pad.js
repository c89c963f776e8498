/** The canvas: pointers in, ink on the screen. */

import { paintStroke, paintStrokes } from "./paint.js";
import { BRUSH_WIDTHS, DEFAULT_BRUSH, PLAIN_PRESSURE, strokeWidth } from "./strokes.js";

/** @typedef {import("./strokes.js").StrokeModel} StrokeModel */
/** @typedef {import("../types.js").Point} Point */
/** @typedef {import("../types.js").Tool} Tool */

const MAIN_BUTTON = 0;
const ERASER_BUTTON = 5;

/** Where a pen was in use so lately, what touches the canvas is the palm that rests on it. */
const PALM_MS = 1000;

/** How much of a new reading goes into a pen's pressure: sensors jump, ink does not. */
const PRESSURE_SHARE = 0.5;

/**
 * Takes drawing from one mouse, finger or pen at a time, and keeps the canvas as sharp as the screen.
 *
 * Its events tell what happened: "change" after every change of the drawing, "stroke" when a stroke has ended.
 */
export class Pad extends EventTarget {
  /**
   * @param {HTMLCanvasElement} canvas
   * @param {StrokeModel} model
   * @param {() => boolean} isDone whether the drawing is finished, so that the next stroke begins a new one
   */
  constructor(canvas, model, isDone) {
    super();
    this.canvas = canvas;
    this.model = model;
    this.isDone = isDone;
    /** @type {Tool} */
    this.tool = "pen";
    this.width = BRUSH_WIDTHS[DEFAULT_BRUSH];
    this.context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    /** @type {{ id: number, type: string, pressure: number, erases: boolean } | null} */
    this.pointer = null;
    this.penSeen = -Infinity;
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
    // and the tap on Save that follows for the finger that stops it.
    canvas.addEventListener("touchstart", (event) => event.preventDefault(), { passive: false });

    new ResizeObserver(() => this.#fit()).observe(canvas);
    this.#watchDensity();
    for (const query of ["(prefers-color-scheme: dark)", "(forced-colors: active)"]) {
      matchMedia(query).addEventListener("change", () => this.repaint());
    }
    this.#fit();
  }

  /** Whether a stroke is being drawn. */
  get isDrawing() {
    return this.pointer !== null;
  }

  /** @returns {boolean} whether anything changed */
  clear() {
    return this.#edit(() => this.model.clear());
  }

  /** @returns {boolean} whether anything changed */
  undo() {
    return this.#edit(() => this.model.undo());
  }

  /** @returns {boolean} whether anything changed */
  redo() {
    return this.#edit(() => this.model.redo());
  }

  /**
   * Put stored strokes onto the empty canvas.
   *
   * @param {unknown} stored
   * @returns {boolean} whether there was a drawing in it
   */
  restore(stored) {
    return this.#edit(() => this.model.restore(stored));
  }

  /**
   * Begin a stroke without a pointer.
   *
   * @param {Point} point
   */
  begin(point) {
    const { tool } = this;
    const isFirst = tool === "pen" && this.isDone();
    this.model.begin(point, { width: strokeWidth(this.width, tool), tool, isFirst });
    this.painted = 0;
    if (isFirst) {
      this.repaint();
    } else {
      this.#schedule();
    }
    this.#tell("change");
  }

  /** @param {Point[]} points */
  extend(points) {
    if (this.model.extend(points)) {
      this.#schedule();
      this.#tell("change");
    }
  }

  end() {
    // While it grew, the stroke's end was painted straight: now paint it as it is.
    this.repaint();
    this.#tell("stroke");
  }

  /** Paint everything anew, in the page's ink: it differs between light and dark. */
  repaint() {
    cancelAnimationFrame(this.frame);
    this.frame = 0;
    this.context.strokeStyle = getComputedStyle(this.canvas).color;
    this.context.clearRect(0, 0, this.canvas.width, this.canvas.height);
    paintStrokes(this.context, this.model.strokes, this.canvas.width);
    this.painted = this.model.newest?.points.length ?? 0;
  }

  /** @param {() => boolean} change */
  #edit(change) {
    this.pointer = null;
    const changed = change();
    if (changed) {
      this.repaint();
      this.#tell("change");
      this.#tell("stroke");
    }
    return changed;
  }

  /** @param {"change" | "stroke"} name */
  #tell(name) {
    this.dispatchEvent(new Event(name));
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
      pressure: this.#pressure(event),
      time: Math.round(performance.timeOrigin + event.timeStamp),
    };
  }

  /** @param {PointerEvent} event */
  #pressure(event) {
    // Only a pen's pressure is meant: some screens report a finger's, which is the size of the finger. An eraser that
    // became narrower with it would leave ink behind.
    if (this.pointer === null || event.pointerType !== "pen" || event.pressure === 0 || this.pointer.erases) {
      return this.pointer?.pressure ?? PLAIN_PRESSURE;
    }
    this.pointer.pressure += PRESSURE_SHARE * (event.pressure - this.pointer.pressure);
    return this.pointer.pressure;
  }

  /** @param {PointerEvent} event */
  #down(event) {
    const isPen = event.pointerType === "pen";
    if (isPen && this.pointer?.type === "touch") {
      // The palm came before the pen.
      this.pointer = null;
      this.model.drop();
      this.repaint();
    }
    const isPalm = event.pointerType === "touch" && performance.now() - this.penSeen < PALM_MS;
    const isEraser = isPen && event.button === ERASER_BUTTON;
    if (this.pointer !== null || isPalm || (event.button !== MAIN_BUTTON && !isEraser)) {
      return;
    }
    // Without it a mouse would start to select text beside the canvas. But then a field would keep the focus, and keys
    // that are meant for the drawing.
    event.preventDefault();
    if (document.activeElement instanceof HTMLElement && document.activeElement !== this.canvas) {
      document.activeElement.blur();
    }
    const tool = this.tool;
    this.tool = isEraser ? "eraser" : tool;
    const erases = this.tool === "eraser";
    const pressure = isPen && !erases && event.pressure > 0 ? event.pressure : PLAIN_PRESSURE;
    this.pointer = { id: event.pointerId, type: event.pointerType, pressure, erases };
    this.#notePen(event);
    this.canvas.setPointerCapture(event.pointerId);
    this.begin(this.#point(event));
    this.tool = tool;
  }

  /** @param {PointerEvent} event */
  #move(event) {
    this.#notePen(event);
    if (event.pointerId !== this.pointer?.id) {
      return;
    }
    const coalesced = event.getCoalescedEvents?.() ?? [];
    const events = coalesced.length > 0 ? coalesced : [event];
    this.extend(events.map((each) => this.#point(each)));
  }

  /** @param {PointerEvent} event */
  #up(event) {
    if (event.pointerId === this.pointer?.id) {
      this.pointer = null;
      this.end();
    }
  }

  /** @param {PointerEvent} event */
  #notePen(event) {
    if (event.pointerType === "pen") {
      this.penSeen = performance.now();
    }
  }

  #schedule() {
    if (this.frame === 0) {
      this.frame = requestAnimationFrame(() => this.#paintNews());
    }
  }

  /** Ink covers ink, so a growing stroke needs only its news painted. */
  #paintNews() {
    this.frame = 0;
    const stroke = this.model.newest;
    if (stroke !== null) {
      paintStroke(this.context, stroke, this.canvas.width, this.painted);
      this.painted = stroke.points.length;
    }
  }
}
