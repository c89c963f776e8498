/** "Copy result" and the public link below an answer. Loaded when one of them is used. */

import { slot } from "../../shared/dom.js";
import { RequestError } from "../../shared/http.js";
import { fill } from "../../shared/texts.js";

/** @typedef {import("../api.js").Api} Api */
/** @typedef {import("./answer.js").AnswerView} AnswerView */
/** @typedef {import("../types.js").Texts} Texts */

/**
 * @param {string} text
 * @returns {Promise<boolean>} whether it is on the clipboard
 */
async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyByHand(text);
  }
}

/**
 * On plain http there is no clipboard but that of a selected text.
 *
 * @param {string} text
 */
function copyByHand(text) {
  const field = document.createElement("textarea");
  field.value = text;
  field.className = "visually-hidden";
  document.body.append(field);
  field.select();
  try {
    return document.execCommand("copy");
  } finally {
    field.remove();
  }
}

/**
 * @param {HTMLElement} answer
 * @param {Texts} texts
 * @param {(sentence: string) => void} announce
 */
export function offerCopies(answer, texts, announce) {
  const button = /** @type {HTMLButtonElement} */ (slot(answer, "copy"));
  const label = slot(button, "copy-label");
  const { textContent: atRest } = label;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  button.addEventListener("click", async () => {
    const hadFocus = document.activeElement;
    const isCopied = await copy(
      fill(texts.copy.result, {
        sentence: slot(answer, "sentence").textContent ?? "",
        percent: slot(answer, "percent").textContent ?? "",
        link: /** @type {HTMLAnchorElement} */ (slot(answer, "link")).href,
      }),
    );
    if (hadFocus instanceof HTMLElement) {
      hadFocus.focus();
    }
    const outcome = isCopied ? texts.copy.done : texts.copy.failed;
    label.textContent = outcome;
    announce(outcome);
    clearTimeout(timer);
    timer = setTimeout(() => {
      label.textContent = atRest;
    }, 2500);
  });
}

/**
 * @param {AnswerView} view
 * @param {Api} api
 * @param {Texts} texts
 * @param {(sentence: string) => void} announce
 */
export function offerPublicLink(view, api, texts, announce) {
  const form = slot(view.element, "public");
  const url = /** @type {HTMLInputElement} */ (slot(form, "public-url"));
  url.addEventListener("focus", () => url.select());
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const { id = "" } = view.element.dataset;
    const isPublic = /** @type {HTMLButtonElement} */ (slot(form, "public-switch")).value === "on";
    try {
      const link = await api.setPublic(id, isPublic);
      if (view.element.dataset.id === id) {
        view.showPublic(link?.url ?? null);
      }
      announce(texts.public[isPublic ? "made" : "revoked"]);
    } catch (error) {
      if (!(error instanceof RequestError)) {
        throw error;
      }
      slot(form, "public-error").textContent = error.message;
    }
  });
}
