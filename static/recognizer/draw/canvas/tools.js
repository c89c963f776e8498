/** The tools beside the canvas: undo, redo, clear, pen or eraser, and how wide. */

import { byId } from "../../shared/dom.js";
import { choice, choose } from "../offline/storage.js";
import { BRUSH_WIDTHS, DEFAULT_BRUSH } from "./strokes.js";

/** @typedef {import("./pad.js").Pad} Pad */

export class Tools {
  /**
   * @param {Pad} pad
   * @param {{ clear: () => void }} actions
   */
  constructor(pad, { clear }) {
    this.pad = pad;
    this.undo = byId("undo", HTMLButtonElement);
    this.redo = byId("redo", HTMLButtonElement);
    this.clear = byId("clear", HTMLButtonElement);
    this.eraser = byId("eraser", HTMLButtonElement);
    this.brush = byId("brush", HTMLInputElement);

    this.undo.addEventListener("click", () => pad.undo());
    this.redo.addEventListener("click", () => pad.redo());
    this.clear.addEventListener("click", clear);
    this.eraser.addEventListener("click", () => this.setErasing(pad.tool === "pen"));
    this.brush.max = String(BRUSH_WIDTHS.length - 1);
    this.brush.addEventListener("input", () => this.#setBrush(Number(this.brush.value)));
    pad.addEventListener("change", () => this.#update());

    this.#setBrush(choice("brush", DEFAULT_BRUSH));
    this.#update();
  }

  /** @param {boolean} erasing */
  setErasing(erasing) {
    this.pad.tool = erasing ? "eraser" : "pen";
    this.eraser.setAttribute("aria-pressed", String(erasing));
    this.pad.canvas.toggleAttribute("data-erasing", erasing);
  }

  /** @param {-1 | 1} step thinner or thicker */
  changeBrush(step) {
    this.#setBrush(Number(this.brush.value) + step);
  }

  /** @param {number} index */
  #setBrush(index) {
    const known = Math.min(BRUSH_WIDTHS.length - 1, Math.max(0, Math.round(index)));
    this.brush.value = String(known);
    this.pad.width = BRUSH_WIDTHS[known];
    choose("brush", known);
  }

  #update() {
    const { model } = this.pad;
    // Not `disabled`: a button that is used to the end would lose the focus to nowhere.
    this.undo.setAttribute("aria-disabled", String(!model.canUndo));
    this.redo.setAttribute("aria-disabled", String(!model.canRedo));
    if (!model.canUndo) {
      this.setErasing(false);
    }
  }
}
