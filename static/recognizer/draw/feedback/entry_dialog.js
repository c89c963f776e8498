/** One drawing of the history, opened: what it was read as, and what the visitor says it was. */

import { slot } from "../../shared/dom.js";
import { answeredLabel, inSentence } from "../../shared/labels.js";
import { fill } from "../../shared/texts.js";

/** @typedef {import("./feedback.js").FeedbackView} FeedbackView */
/** @typedef {import("../types.js").Texts} Texts */

export class EntryDialog {
  /**
   * @param {HTMLDialogElement} dialog
   * @param {FeedbackView} feedback the one inside
   * @param {Texts} texts
   */
  constructor(dialog, feedback, texts) {
    this.dialog = dialog;
    this.feedback = feedback;
    this.texts = texts;
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
    const label = answeredLabel(entry);
    const image = /** @type {HTMLImageElement} */ (slot(this.dialog, "image"));
    image.src = entry.image_url;
    this.dialog.dataset.source = entry.source;
    slot(this.dialog, "read-as").textContent = fill(this.texts.feedback.read_as, {
      a_label: inSentence(this.texts, label),
    });
    const remove = /** @type {HTMLFormElement} */ (slot(this.dialog, "remove-form"));
    remove.dataset.id = entry.id;
    /** @type {HTMLDetailsElement} */ (slot(this.dialog, "remove")).open = false;
    slot(this.dialog, "remove-error").textContent = "";
    const link = /** @type {HTMLAnchorElement} */ (slot(this.dialog, "page"));
    link.href = `?prediction=${entry.id}#answer`;
    const download = /** @type {HTMLAnchorElement} */ (slot(this.dialog, "save"));
    download.href = entry.image_url;
    download.download = `digit-${entry.digit}.png`;
    this.feedback.show(entry);
    this.dialog.showModal();
  }
}
