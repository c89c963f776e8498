/** Keys that work anywhere on the page, and the dialog that lists them. */

import { byId, slot } from "../shared/dom.js";

/**
 * @typedef {object} Actions
 * @property {() => void} save
 * @property {() => void} clear
 * @property {() => void} undo
 * @property {() => void} redo
 * @property {(step: -1 | 1) => void} brush
 * @property {() => void} eraser
 * @property {() => boolean} areLettersOn speech input can type single characters by accident
 * @property {(event: KeyboardEvent) => boolean} other gets all other keys
 */

export class Shortcuts {
  /**
   * @param {() => Promise<void>} styles loads those of the dialog
   * @param {Actions} actions
   */
  constructor(styles, actions) {
    this.styles = styles;
    this.actions = actions;
    this.help = byId("help", HTMLDialogElement);
    byId("help-open", HTMLButtonElement).addEventListener("click", () => this.#showHelp());
    slot(this.help, "close").addEventListener("click", () => this.help.close());
    // The dialog's own box is its content's: what hits the element itself hits the backdrop.
    this.help.addEventListener("click", (event) => event.target === this.help && this.help.close());
    document.addEventListener("keydown", (event) => this.#key(event));
  }

  async #showHelp() {
    await this.styles();
    this.help.showModal();
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const target = /** @type {Element} */ (event.target);
    const isTyped = target.closest("input:not([type=checkbox]):not([type=range]), textarea, select, [contenteditable]");
    if (event.defaultPrevented || event.altKey || isTyped !== null || this.help.open) {
      return;
    }
    const isModal = document.querySelector("dialog[open]") !== null;
    const action = isModal ? undefined : this.#action(event, target);
    if (action !== undefined) {
      event.preventDefault();
      action();
    } else if (!event.repeat && !event.ctrlKey && !event.metaKey) {
      this.actions.other(event);
    }
  }

  /**
   * @param {KeyboardEvent} event
   * @param {Element} target
   * @returns {(() => void) | undefined}
   */
  #action(event, target) {
    const { actions } = this;
    const key = event.key.toLowerCase();
    if (event.ctrlKey || event.metaKey) {
      if (key === "z") {
        return event.shiftKey ? actions.redo : actions.undo;
      }
      return key === "y" ? actions.redo : undefined;
    }
    if (event.repeat) {
      return undefined;
    }
    if (key === "enter") {
      return target.closest("a, button, summary") === null ? actions.save : undefined;
    }
    if (key === "escape" || key === "delete") {
      return actions.clear;
    }
    return actions.areLettersOn() ? this.#letter(key) : undefined;
  }

  /**
   * @param {string} key
   * @returns {(() => void) | undefined}
   */
  #letter(key) {
    const { actions } = this;
    switch (key) {
      case "[":
        return () => actions.brush(-1);
      case "]":
        return () => actions.brush(1);
      case "e":
        return actions.eraser;
      case "?":
        return () => this.#showHelp();
      default:
        return undefined;
    }
  }
}
