/** What the site remembers for this visitor: how much, and the switches to stop it and to forget it all. */

import { slot } from "../../shared/dom.js";
import { RequestError } from "../../shared/http.js";
import { fill } from "../../shared/texts.js";

/** @typedef {import("../api.js").Api} Api */
/** @typedef {import("../types.js").Memory} Memory */
/** @typedef {import("../types.js").Texts} Texts */

export class MemoryView {
  /**
   * @param {HTMLElement} element
   * @param {Api} api
   * @param {Texts} texts
   * @param {{ announce: (sentence: string) => void, changed: () => void }} page
   */
  constructor(element, api, texts, { announce, changed }) {
    this.element = element;
    this.api = api;
    this.texts = texts;
    this.announce = announce;
    this.changed = changed;
    this.enabled = element.dataset.enabled === "true";
    this.confirm = /** @type {HTMLDetailsElement} */ (slot(element, "forget"));
    this.failure = slot(element, "memory-error");
    slot(element, "switch").addEventListener("submit", (event) => this.#submitted(event, () => this.#switch()));
    slot(element, "forget-form").addEventListener("submit", (event) => this.#submitted(event, () => this.#forget()));
  }

  /** Ask the site anew: what was said of a drawing has changed the count. */
  async refresh() {
    try {
      this.#show(await this.api.memory());
    } catch (error) {
      // Nobody asked for it: the count is a little old, that is all.
      if (!(error instanceof RequestError)) {
        throw error;
      }
    }
  }

  /**
   * @param {Event} event
   * @param {() => Promise<void>} act
   */
  async #submitted(event, act) {
    event.preventDefault();
    if (this.element.getAttribute("aria-busy") === "true") {
      return;
    }
    this.failure.textContent = "";
    this.element.setAttribute("aria-busy", "true");
    try {
      await act();
    } catch (error) {
      if (!(error instanceof RequestError)) {
        throw error;
      }
      this.failure.textContent = error.message;
    } finally {
      this.element.setAttribute("aria-busy", "false");
    }
  }

  async #switch() {
    const memory = await this.api.switchMemory(!this.enabled);
    this.#show(memory);
    this.announce(this.texts.memory.state[memory.enabled ? "on" : "off"]);
  }

  async #forget() {
    await this.api.forget();
    this.#show({ enabled: this.enabled, count: 0 });
    this.confirm.open = false;
    slot(this.element, "memory-heading").focus();
    this.announce(this.texts.memory.forgotten);
  }

  /** @param {Memory} memory */
  #show({ enabled, count }) {
    const { memory } = this.texts;
    this.enabled = enabled;
    this.element.dataset.enabled = String(enabled);
    slot(this.element, "memory-state").textContent = memory.state[enabled ? "on" : "off"];
    slot(this.element, "memory-count").textContent = fill(memory.count, { count });
    const button = /** @type {HTMLButtonElement} */ (slot(this.element, "switch-button"));
    button.textContent = memory.switch[enabled ? "on" : "off"];
    button.value = enabled ? "off" : "on";
    this.confirm.hidden = count === 0;
    this.changed();
  }
}
