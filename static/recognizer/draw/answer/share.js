/** "Copy result" and "Copy link" below an answer. */

import { slot } from "../../shared/dom.js";
import { fill } from "../../shared/texts.js";

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
