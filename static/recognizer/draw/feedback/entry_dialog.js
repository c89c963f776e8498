/** One drawing of the history, opened: its answer, and the buttons to correct it. */

import { slot } from "../../shared/dom.js";

/** @typedef {import("./feedback.js").FeedbackView} FeedbackView */

export class EntryDialog {
  /**
   * @param {HTMLDialogElement} dialog
   * @param {FeedbackView} feedback the one inside
   */
  constructor(dialog, feedback) {
    this.dialog = dialog;
    this.feedback = feedback;
    slot(dialog, "close").addEventListener("click", () => dialog.close());
    // The dialog's own box is its content's: what hits the element itself hits the backdrop.
    dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
    dialog.addEventListener("close", () => feedback.reset());
  }

  get isOpen() {
    return this.dialog.open;
  }

  close() {
    this.dialog.close();
  }

  /** @param {import("../types.js").Entry} entry */
  open(entry) {
    const image = /** @type {HTMLImageElement} */ (slot(this.dialog, "image"));
    image.src = entry.image_url;
    this.dialog.dataset.source = entry.source;
    slot(this.dialog, "sentence").textContent = entry.sentence;
    const remove = /** @type {HTMLFormElement} */ (slot(this.dialog, "remove-form"));
    remove.dataset.id = entry.id;
    /** @type {HTMLDetailsElement} */ (slot(this.dialog, "remove")).open = false;
    slot(this.dialog, "remove-error").textContent = "";
    const link = /** @type {HTMLAnchorElement} */ (slot(this.dialog, "page"));
    link.href = `?prediction=${entry.id}`;
    const download = /** @type {HTMLAnchorElement} */ (slot(this.dialog, "save"));
    download.href = entry.image_url;
    download.download = entry.verdict === "not_a_digit" ? "drawing.png" : `digit-${entry.digit}.png`;
    this.feedback.show(entry);
    this.dialog.showModal();
  }
}
