/** One page of the grid: its drawings, the bar below them, and the keys. */

import { slot } from "../../shared/dom.js";
import { fill, readJson } from "../../shared/texts.js";
import { Cells } from "./cells.js";

/** @typedef {import("./types.js").Texts} Texts */

export class GridPage {
  /**
   * @param {HTMLElement} root
   * @param {(text: string) => void} announce
   * @param {(form: HTMLFormElement) => void} send
   */
  constructor(root, announce, send) {
    this.root = root;
    this.announce = announce;
    this.texts = /** @type {Texts} */ (readJson("grid-texts", root));
    this.form = /** @type {HTMLFormElement} */ (slot(root, "form"));
    this.said = slot(root, "said");
    const list = /** @type {HTMLElement | null} */ (root.querySelector("[data-slot=cells]"));
    this.cells = list === null ? null : new Cells(list, this.texts, (text) => this.#changed(text));
    root.addEventListener("submit", (event) => {
      event.preventDefault();
      send(/** @type {HTMLFormElement} */ (event.target));
    });
    for (const link of root.querySelectorAll(".grid-menu a, .grid-orders a")) {
      keepClaims(/** @type {HTMLAnchorElement} */ (link));
    }
    if (this.cells !== null) {
      this.#showDigits(this.cells);
      this.#tell();
    }
  }

  /** Begin at the first drawing, without a jump where it is in sight. */
  begin() {
    const start = this.cells === null ? slot(this.root, "none") : this.cells.first;
    start.focus({ preventScroll: true });
    if (start.getBoundingClientRect().top < 0) {
      start.scrollIntoView();
    }
  }

  /** @param {boolean} isBusy */
  set isBusy(isBusy) {
    this.root.setAttribute("aria-busy", String(isBusy));
    if (isBusy) {
      this.said.textContent = this.texts.busy;
    }
  }

  /** @param {string} text what went wrong */
  fail(text) {
    const error = document.createElement("span");
    error.className = "error";
    error.textContent = text;
    this.said.replaceChildren(error);
    this.announce(text);
  }

  /**
   * A key that was pressed anywhere on the page.
   *
   * @param {KeyboardEvent} event
   */
  onKey(event) {
    const key = event.key.toLowerCase();
    const label = key === "x" ? "10" : key;
    if (key === "?") {
      const help = /** @type {HTMLDetailsElement} */ (slot(this.root, "help"));
      help.open = !help.open;
      help.scrollIntoView({ block: "nearest" });
    } else if (key === "u" || key === "backspace") {
      /** @type {HTMLElement | null} */ (this.root.querySelector("[data-slot=undo]"))?.click();
    } else if (this.cells !== null && key === "enter" && isDrawing(event.target)) {
      this.form.requestSubmit();
    } else if (this.cells !== null && Object.hasOwn(this.texts.labels, label)) {
      this.cells.correct(label);
    } else {
      return;
    }
    event.preventDefault();
  }

  /** @param {Cells} cells */
  #showDigits(cells) {
    const digits = slot(this.root, "digits");
    digits.hidden = false;
    digits.addEventListener("click", (event) => {
      const { label } = /** @type {HTMLElement} */ (event.target).dataset;
      if (label !== undefined) {
        cells.correct(label);
      }
    });
  }

  /** @param {string} text */
  #changed(text) {
    this.#tell();
    this.announce(text);
  }

  /** Say on the bar what the press of its button will do. */
  #tell() {
    if (this.cells === null) {
      return;
    }
    const { save, which } = this.texts;
    const counts = this.cells.counts();
    slot(this.root, "bar").toggleAttribute("data-marked", counts.leave > 0);
    const parts = /** @type {const} */ (["confirm", "correct", "leave"])
      .filter((part) => counts[part] > 0)
      .map((part) => fill(save[part], { n: counts[part] }))
      .join(", ");
    slot(this.root, "save").textContent = parts.charAt(0).toUpperCase() + parts.slice(1);
    slot(this.root, "which").textContent = counts.leave > 0 ? fill(which.marked, { n: counts.leave }) : which.none;
  }
}

/**
 * Only in this tab a link takes the page's id along, and with it the right to release the page's drawings. In a new tab
 * it opens a page with an id of its own.
 *
 * @param {HTMLAnchorElement} link
 */
function keepClaims(link) {
  const here = link.href;
  const elsewhere = new URL(here);
  elsewhere.searchParams.delete("page");
  link.href = elsewhere.href;
  link.addEventListener("click", (event) => {
    if (!event.ctrlKey && !event.metaKey && !event.shiftKey) {
      link.href = here;
    }
  });
}

/** @param {EventTarget | null} target */
function isDrawing(target) {
  return target === document.body || (target instanceof Element && target.closest(".grid-cell") !== null);
}
