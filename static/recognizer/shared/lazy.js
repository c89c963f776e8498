/** What is rarely needed is loaded when it is first needed. */

/**
 * Return a function that loads once, and again after a failure.
 *
 * @template T
 * @param {() => Promise<T>} load
 * @returns {() => Promise<T>}
 */
export function lazily(load) {
  /** @type {Promise<T> | null} */
  let loaded = null;
  return () => {
    loaded ??= load().catch((error) => {
      loaded = null;
      throw error;
    });
    return loaded;
  };
}

/**
 * Load what works an element when its first button or link is pressed, and press it again then.
 *
 * @param {HTMLElement} element
 * @param {() => Promise<unknown>} load
 * @param {() => void} failed called if it can't be loaded; the next press tries again
 */
export function loadOnUse(element, load, failed) {
  let isLoading = false;

  /** @param {MouseEvent} event */
  async function used(event) {
    const { target } = event;
    const isPlain = !event.ctrlKey && !event.metaKey && !event.shiftKey;
    if (!isPlain || !(target instanceof HTMLElement) || target.closest("a, button") === null) {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
    if (isLoading) {
      return;
    }
    isLoading = true;
    try {
      await load();
    } catch {
      failed();
      return;
    } finally {
      isLoading = false;
    }
    element.removeEventListener("click", used, { capture: true });
    // Later: while a key's click is still being handled, Chromium ignores another one of the same element.
    setTimeout(() => target.click());
  }

  element.addEventListener("click", used, { capture: true });
}

/**
 * @param {string} href of a style sheet; those that the page has already are not loaded again
 * @returns {Promise<void>} when its styles apply, or could not be loaded
 */
export function loadStyles(href) {
  if (document.querySelector(`link[href="${CSS.escape(href)}"]`) !== null) {
    return Promise.resolve();
  }
  return new Promise((done) => {
    const link = document.createElement("link");
    link.rel = "stylesheet";
    link.href = href;
    link.onload = link.onerror = () => done();
    document.head.append(link);
  });
}
