/**
 * Pictures in place of a drawing: chosen, dropped, pasted or taken with the camera. What shows and sends them is loaded
 * with the first one.
 */

import { slot } from "../shared/dom.js";
import { lazily } from "../shared/lazy.js";

/** @typedef {import("./types.js").Label} Label */
/** @typedef {import("./types.js").PictureParts} PictureParts */

/**
 * @param {HTMLFormElement} form with the file fields
 * @param {HTMLElement} dropZone
 * @param {PictureParts} parts
 */
export function offerPictures(form, dropZone, parts) {
  let isLoaded = false;
  const load = lazily(async () => {
    const { Picture } = await import("./picture.js");
    isLoaded = true;
    return new Picture(form, parts);
  });

  /** @param {(picture: import("./picture.js").Picture) => void} action */
  async function withPicture(action) {
    const picture = await load().catch(() => null);
    if (picture === null) {
      slot(form, "message").textContent = parts.texts.error.network;
    } else {
      action(picture);
    }
  }

  /** @param {File} file */
  function show(file) {
    withPicture((picture) => picture.show(file));
  }

  function cancel() {
    if (isLoaded) {
      withPicture((picture) => picture.cancel());
    }
  }

  /** @param {Label | null} label */
  function send(label) {
    withPicture((picture) => picture.submit(label));
  }

  // A picture that was dropped or pasted is in no field.
  form.noValidate = true;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send(null);
  });
  for (const field of /** @type {NodeListOf<HTMLInputElement>} */ (form.querySelectorAll("input[type=file]"))) {
    field.addEventListener("change", () => {
      const file = field.files?.[0];
      if (file === undefined) {
        cancel();
        parts.removed();
      } else {
        show(file);
      }
    });
  }
  document.addEventListener("paste", (event) => take(event, event.clipboardData, show));
  acceptDrops(dropZone, show);
  return { cancel, send };
}

/**
 * @param {Event} event
 * @param {DataTransfer | null} data
 * @param {(file: File) => void} show
 */
function take(event, data, show) {
  const file = Array.from(data?.files ?? []).find(({ type }) => type.startsWith("image/")) ?? data?.files[0];
  if (file !== undefined) {
    event.preventDefault();
    show(file);
  }
}

/**
 * @param {HTMLElement} zone
 * @param {(file: File) => void} show
 */
function acceptDrops(zone, show) {
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
      take(event, event.dataTransfer, show);
    }
  });
}
