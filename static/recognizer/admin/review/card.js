/** A drawing that the reviewer has claimed: what came from the server, its label so far, its pictures ready to be shown. */

/** @typedef {import("./types.js").Drawing} Drawing */
/** @typedef {import("./types.js").LabelState} LabelState */

// Pixels are kept sharp where they are enlarged at least twofold.
const SHARP_BELOW = 180;

/** @param {string | null} url */
function picture(url) {
  if (url === null) {
    return null;
  }
  const image = new Image();
  image.src = url;
  // Decoded before its turn comes. In place of what can't be decoded the browser shows the alternative text.
  image.decode().then(
    () => image.classList.toggle("pixelated", Math.max(image.naturalWidth, image.naturalHeight) < SHARP_BELOW),
    () => {},
  );
  return image;
}

export class Card {
  /** @param {Drawing} drawing */
  constructor(drawing) {
    this.drawing = drawing;
    this.picture = picture(drawing.drawing);
    this.seen = picture(drawing.seen);
    /** @type {LabelState | null} the stored label, as far as the reviewer has seen it */
    this.label = drawing.known;
    /** Why it is here again. */
    this.note = "";
    /** @type {import("./types.js").Label | null} the label that the reviewer gave before it came back */
    this.said = null;
  }

  get id() {
    return this.drawing.id;
  }

  /** Whether it came back, and should be seen whatever else changes. */
  get isBack() {
    return this.note !== "";
  }
}
