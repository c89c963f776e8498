/** A picture in place of a drawing: it is shown before it is sent, with the part that the server will use. */

import { slot } from "../shared/dom.js";
import { RequestError } from "../shared/http.js";

/** @typedef {import("./types.js").Label} Label */
/** @typedef {import("./types.js").PictureParts} PictureParts */
/** @typedef {import("./types.js").Preview} Preview */

/** What is certainly no picture. Other types, or none, are often wrong: the server decides by the file's bytes. */
const NOT_PICTURES = /^(text|audio|video|font)\//;
const MAX_BYTES = 8 * 1024 * 1024;

export class Picture {
  /**
   * @param {HTMLFormElement} form with the file field; without JavaScript it is sent as it stands
   * @param {PictureParts} parts
   */
  constructor(form, { texts, look, send, removed, announce }) {
    this.form = form;
    this.texts = texts;
    this.look = look;
    this.send = send;
    this.announce = announce;
    this.message = slot(form, "message");
    this.shown = slot(form, "picture");
    this.image = /** @type {HTMLImageElement} */ (slot(form, "picture-image"));
    this.box = slot(form, "picture-box");
    this.caption = slot(form, "picture-caption");
    /** @type {File | null} */
    this.file = null;
    /** @type {AbortController | null} */
    this.looking = null;
    this.isSending = false;
    slot(form, "picture-cancel").addEventListener("click", () => {
      this.cancel();
      removed();
    });
  }

  /**
   * Save the picture that is shown.
   *
   * @param {Label | null} label what the visitor says that it shows
   */
  async submit(label) {
    this.message.textContent = "";
    if (this.file === null) {
      this.message.textContent = this.texts.choose_image;
    } else if (!this.isSending) {
      this.isSending = true;
      try {
        await this.send(this.file, label);
        this.cancel();
      } catch (error) {
        if (!(error instanceof RequestError)) {
          throw error;
        }
        this.message.textContent = error.message;
      } finally {
        this.isSending = false;
      }
    }
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
    this.message.textContent = "";
    if (NOT_PICTURES.test(file.type)) {
      this.message.textContent = this.texts.picture.wrong_type;
      return;
    }
    if (file.size > MAX_BYTES) {
      this.message.textContent = this.texts.picture.too_large;
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
        this.message.textContent = error instanceof Error ? error.message : "";
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
}
