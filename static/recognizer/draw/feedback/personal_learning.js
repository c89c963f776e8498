/** Personal learning: from how many drawings the site has learned for this visitor, and how to turn it off or reset it. */

import { slot } from "../../shared/dom.js";
import { RequestError } from "../../shared/http.js";
import { fill } from "../../shared/texts.js";

/** @typedef {import("../api.js").Api} Api */
/** @typedef {import("../types.js").Memory} Memory */
/** @typedef {import("../types.js").Texts} Texts */

export class PersonalLearningView {
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
    slot(element, "forget-form").addEventListener("submit", (event) => this.#submitted(event, () => this.#reset()));
  }

  /** Get the count again: a correction has changed it. */
  async refresh() {
    try {
      this.#show(await this.api.personalLearning());
    } catch (error) {
      // Not worth a message: the count is only out of date.
      if (!(error instanceof RequestError)) {
        throw error;
      }
    }
  }

  /**
   * @param {Event} event
   * @param {() => Promise<void>} action
   */
  async #submitted(event, action) {
    event.preventDefault();
    if (this.element.getAttribute("aria-busy") === "true") {
      return;
    }
    this.failure.textContent = "";
    this.element.setAttribute("aria-busy", "true");
    try {
      await action();
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
    const memory = await this.api.setPersonalLearning(!this.enabled);
    this.#show(memory);
    this.announce(this.texts.memory.state[memory.enabled ? "on" : "off"]);
  }

  async #reset() {
    await this.api.resetPersonalLearning();
    this.#show({ enabled: this.enabled, count: 0 });
    this.confirm.open = false;
    slot(this.element, "memory-heading").focus();
    this.announce(this.texts.memory.reset);
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
