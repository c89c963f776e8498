/** Drawing on the canvas without a pointer: arrow keys move a pen, Space puts it down and lifts it. Loaded on use. */

import { PLAIN_PRESSURE } from "./strokes.js";

/** @typedef {import("./pad.js").Pad} Pad */

/** How far a key moves the pen, in widths of the canvas; with Shift, a finer step. */
const STEP = 0.04;
const FINE_STEP = 0.01;

/** @type {Record<string, [number, number]>} */
const DIRECTIONS = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

export class KeyboardPen {
  /**
   * @param {Pad} pad
   * @param {HTMLElement} mark what shows where the pen is
   * @param {(text: "pen_down" | "pen_up") => void} announce
   */
  constructor(pad, mark, announce) {
    this.pad = pad;
    this.mark = mark;
    this.announce = announce;
    this.x = 0.5;
    this.y = 0.3;
    this.isDown = false;
    const { canvas } = pad;
    canvas.addEventListener("blur", () => this.#leave());
    // With a pointer the mark would only hide the ink.
    canvas.addEventListener("pointerdown", () => this.#leave());
  }

  /** @param {KeyboardEvent} event of an arrow key or Space */
  take({ key, shiftKey, repeat }) {
    if (key !== " ") {
      this.#move(DIRECTIONS[key], shiftKey ? FINE_STEP : STEP);
    } else if (!repeat) {
      this.#toggle();
    }
  }

  /** Lift the pen, so that the stroke ends. */
  lift() {
    if (this.isDown) {
      this.isDown = false;
      this.mark.toggleAttribute("data-down", false);
      this.pad.end();
    }
  }

  /**
   * @param {[number, number]} direction
   * @param {number} step
   */
  #move([right, down], step) {
    this.x = Math.min(1, Math.max(0, this.x + right * step));
    this.y = Math.min(1, Math.max(0, this.y + down * step));
    this.#show();
    if (this.isDown) {
      this.pad.extend([this.#point()]);
    }
  }

  #toggle() {
    this.#show();
    if (this.isDown) {
      this.lift();
      this.announce("pen_up");
    } else {
      this.isDown = true;
      this.mark.toggleAttribute("data-down", true);
      this.pad.begin(this.#point());
      this.announce("pen_down");
    }
  }

  #leave() {
    this.lift();
    this.mark.hidden = true;
  }

  #show() {
    this.mark.hidden = false;
    this.mark.style.setProperty("--x", `${100 * this.x}%`);
    this.mark.style.setProperty("--y", `${100 * this.y}%`);
  }

  #point() {
    return { x: this.x, y: this.y, pressure: PLAIN_PRESSURE, time: Date.now() };
  }
}
