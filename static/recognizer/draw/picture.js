/**
 * An image in place of a drawing: chosen, dropped, pasted or taken with the camera. It is shown before it is sent, with
 * the part that the server will use.
 */

import { slot } from "../shared/dom.js";

/** @typedef {import("./types.js").Preview} Preview */
/** @typedef {import("./types.js").Texts} Texts */

/** What is certainly no picture. Other types, or none, are often wrong: the server decides by the file's bytes. */
const NOT_PICTURES = /^(text|audio|video|font)\//;
const MAX_BYTES = 8 * 1024 * 1024;

export class Picture {
  /**
   * @param {HTMLFormElement} form with the file field; without JavaScript it is sent as it stands
   * @param {HTMLElement} dropZone
   * @param {object} parts
   * @param {Texts} parts.texts
   * @param {(file: File, signal: AbortSignal) => Promise<Preview>} parts.look
   * @param {(file: File) => void} parts.send
   * @param {(sentence: string) => void} parts.complain
   * @param {(sentence: string) => void} parts.announce
   */
  constructor(form, dropZone, { texts, look, send, complain, announce }) {
    this.form = form;
    this.texts = texts;
    this.look = look;
    this.complain = complain;
    this.announce = announce;
    this.shown = slot(form, "picture");
    this.image = /** @type {HTMLImageElement} */ (slot(form, "picture-image"));
    this.box = slot(form, "picture-box");
    this.caption = slot(form, "picture-caption");
    /** @type {File | null} */
    this.file = null;
    /** @type {AbortController | null} */
    this.looking = null;

    // A picture that was dropped or pasted is in no field.
    form.noValidate = true;
    for (const field of form.querySelectorAll("input[type=file]")) {
      field.addEventListener("change", () => this.#chosen(/** @type {HTMLInputElement} */ (field)));
    }
    slot(form, "picture-cancel").addEventListener("click", () => this.cancel());
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (this.file === null) {
        complain(texts.choose_image);
      } else {
        send(this.file);
      }
    });
    document.addEventListener("paste", (event) => this.#take(event, event.clipboardData));
    this.#acceptDrops(dropZone);
  }

  /** Whether an image is shown that was not sent yet. */
  get isShown() {
    return this.file !== null;
  }

  /** Take the image away; the file fields are empty again. */
  cancel() {
    this.looking?.abort();
    this.file = null;
    URL.revokeObjectURL(this.image.src);
    this.image.removeAttribute("src");
    this.shown.hidden = true;
    this.form.reset();
  }

  /** @param {File} file */
  async show(file) {
    this.cancel();
    this.complain("");
    if (NOT_PICTURES.test(file.type)) {
      this.complain(this.texts.picture.wrong_type);
      return;
    }
    if (file.size > MAX_BYTES) {
      this.complain(this.texts.picture.too_large);
      return;
    }
    this.file = file;
    this.image.src = URL.createObjectURL(file);
    this.box.hidden = true;
    this.caption.textContent = this.texts.picture.looking;
    this.shown.hidden = false;
    this.shown.scrollIntoView({ block: "nearest" });
    const looking = new AbortController();
    this.looking = looking;
    try {
      const preview = await this.look(file, looking.signal);
      if (!looking.signal.aborted) {
        this.#frame(preview);
      }
    } catch (error) {
      if (!looking.signal.aborted) {
        this.caption.textContent = "";
        this.complain(error instanceof Error ? error.message : "");
      }
    }
  }

  /** @param {Preview} preview */
  #frame({ ink_box: { left, top, width, height } }) {
    for (const [name, share] of Object.entries({ left, top, width, height })) {
      this.box.style.setProperty(`--${name}`, `${100 * share}%`);
    }
    this.box.hidden = false;
    this.caption.textContent = this.texts.picture.cropped;
    this.announce(this.texts.picture.cropped);
  }

  /** @param {HTMLInputElement} field */
  #chosen(field) {
    const file = field.files?.[0];
    if (file === undefined) {
      this.cancel();
      return;
    }
    this.show(file);
  }

  /**
   * @param {Event} event
   * @param {DataTransfer | null} data
   */
  #take(event, data) {
    const file = Array.from(data?.files ?? []).find(({ type }) => type.startsWith("image/")) ?? data?.files[0];
    if (file !== undefined) {
      event.preventDefault();
      this.show(file);
    }
  }

  /** @param {HTMLElement} zone */
  #acceptDrops(zone) {
    const carriesFiles = (/** @type {DragEvent} */ event) => event.dataTransfer?.types.includes("Files") ?? false;
    // The whole page takes it: a file that misses the zone would otherwise replace the page, and the drawing with it.
    document.addEventListener("dragover", (event) => {
      if (carriesFiles(event)) {
        event.preventDefault();
        zone.toggleAttribute("data-dropping", true);
      }
    });
    document.addEventListener("dragleave", (event) => {
      if (event.relatedTarget === null) {
        zone.toggleAttribute("data-dropping", false);
      }
    });
    document.addEventListener("drop", (event) => {
      zone.toggleAttribute("data-dropping", false);
      if (carriesFiles(event)) {
        event.preventDefault();
        this.#take(event, event.dataTransfer);
      }
    });
  }
}
