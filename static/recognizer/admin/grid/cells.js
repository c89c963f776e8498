/** The drawings: a list of options of which any number is marked. What is chosen lives in the form's own selects. */

import { fill } from "../../shared/texts.js";

/** @typedef {import("./types.js").Texts} Texts */

/** The value that each drawing had when its page was left, so that a page that comes back has its marks again. */
const remembered = /** @type {Map<string, string>} */ (new Map());

class Cell {
  /**
   * @param {HTMLElement} element
   * @param {Texts} texts
   */
  constructor(element, texts) {
    this.element = element;
    this.texts = texts;
    this.select = /** @type {HTMLSelectElement} */ (element.querySelector("select"));
    this.badge = /** @type {HTMLElement} */ (element.querySelector(".grid-badge"));
    this.name = element.querySelector("label")?.textContent ?? "";
    element.setAttribute("role", "option");
    element.tabIndex = -1;
    this.value = remembered.get(element.id) ?? this.select.value;
  }

  get value() {
    return this.select.value;
  }

  set value(value) {
    this.select.value = value;
    const isRight = value === this.texts.right;
    if (isRight) {
      remembered.delete(this.element.id);
      delete this.element.dataset.state;
    } else {
      remembered.set(this.element.id, value);
      this.element.dataset.state = this.isMarked ? "marked" : "corrected";
    }
    this.element.setAttribute("aria-selected", String(!isRight));
    this.element.setAttribute("aria-label", this.description);
    this.badge.textContent = this.texts.badges[value] ?? this.texts.labels[value];
  }

  get isMarked() {
    return this.value === this.texts.leave;
  }

  get isRight() {
    return this.value === this.texts.right;
  }

  get description() {
    const template = this.isMarked ? this.texts.marked : this.isRight ? "{name}" : this.texts.corrected;
    return fill(template, { name: this.name, label: this.texts.labels[this.value] ?? "" });
  }
}

export class Cells {
  /**
   * @param {HTMLElement} list
   * @param {Texts} texts
   * @param {(said: string) => void} changed called after a choice, with what a screen reader should say
   */
  constructor(list, texts, changed) {
    this.list = list;
    this.texts = texts;
    this.changed = changed;
    list.setAttribute("role", "listbox");
    list.setAttribute("aria-multiselectable", "true");
    this.cells = [...list.children].map((item) => new Cell(/** @type {HTMLElement} */ (item), texts));
    this.current = 0;
    this.cells[0].element.tabIndex = 0;
    list.addEventListener("click", (event) => this.#onClick(event));
    list.addEventListener("focusin", (event) => this.#onFocus(event));
    list.addEventListener("keydown", (event) => this.#onKey(event));
  }

  get marked() {
    return this.cells.filter((cell) => cell.isMarked);
  }

  counts() {
    const right = this.cells.filter((cell) => cell.isRight).length;
    const left = this.marked.length;
    return { confirm: right, correct: this.cells.length - right - left, leave: left };
  }

  get first() {
    return this.cells[0].element;
  }

  /**
   * Say what the marked drawings are or, if none is marked, the one that has the focus.
   *
   * @param {string} label
   */
  correct(label) {
    const { marked } = this;
    const cells = marked.length > 0 ? marked : [this.cells[this.current]];
    for (const cell of cells) {
      cell.value = label;
    }
    this.changed(cells.map((cell) => cell.description).join(". "));
  }

  /** The marks have been saved: nothing of them is to come back. */
  forget() {
    for (const cell of this.cells) {
      remembered.delete(cell.element.id);
    }
  }

  /** @param {Cell} cell */
  #toggle(cell) {
    cell.value = cell.isRight ? this.texts.leave : this.texts.right;
    this.changed(cell.description);
  }

  /** @param {number} index */
  #go(index) {
    const to = Math.min(Math.max(index, 0), this.cells.length - 1);
    this.cells[to].element.focus();
  }

  /** @param {Event} event */
  #indexOf(event) {
    const item = /** @type {Element} */ (event.target).closest(".grid-cell");
    return this.cells.findIndex((cell) => cell.element === item);
  }

  /** @param {Event} event */
  #onClick(event) {
    const index = this.#indexOf(event);
    if (index >= 0) {
      this.#go(index);
      this.#toggle(this.cells[index]);
    }
  }

  /** @param {Event} event */
  #onFocus(event) {
    const index = this.#indexOf(event);
    if (index >= 0) {
      this.cells[this.current].element.tabIndex = -1;
      this.cells[index].element.tabIndex = 0;
      this.current = index;
    }
  }

  /** How many drawings stand in a row now. */
  #columns() {
    const top = this.cells[0].element.offsetTop;
    const next = this.cells.findIndex((cell) => cell.element.offsetTop > top);
    return next < 0 ? this.cells.length : next;
  }

  /** @param {KeyboardEvent} event */
  #onKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) {
      return;
    }
    const sideways = getComputedStyle(this.list).direction === "rtl" ? -1 : 1;
    /** @type {Record<string, () => void>} */
    const keys = {
      ArrowLeft: () => this.#go(this.current - sideways),
      ArrowRight: () => this.#go(this.current + sideways),
      ArrowUp: () => this.#upOrDown(-1),
      ArrowDown: () => this.#upOrDown(1),
      Home: () => this.#go(0),
      End: () => this.#go(this.cells.length - 1),
      " ": () => this.#toggle(this.cells[this.current]),
    };
    if (Object.hasOwn(keys, event.key)) {
      event.preventDefault();
      keys[event.key]();
    }
  }

  /** @param {1 | -1} step */
  #upOrDown(step) {
    const to = this.current + step * this.#columns();
    if (to >= 0 && to < this.cells.length) {
      this.#go(to);
    }
  }
}
