/** The keys, and what each of them does. */

/**
 * @typedef {{ name: "label", value: number } | { name: "confirm" | "visitor" | "number" | "flag" | "skip" | "undo" | "help" }} Action
 */

export const NOT_A_DIGIT = 10;

/** @type {Record<string, Action>} */
const ACTIONS = {
  Enter: { name: "confirm" },
  " ": { name: "confirm" },
  x: { name: "label", value: NOT_A_DIGIT },
  v: { name: "visitor" },
  n: { name: "number" },
  f: { name: "flag" },
  s: { name: "skip" },
  u: { name: "undo" },
  Backspace: { name: "undo" },
  "?": { name: "help" },
};

/**
 * @param {KeyboardEvent} event
 * @returns {Action | null}
 */
export function actionOf(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) {
    return null;
  }
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  // Where digits need Shift, as on French keyboards, the key counts by its place.
  const place = event.shiftKey ? null : event.code.match(/^Digit([0-9])$/);
  const digit = /^[0-9]$/.test(key) ? key : place?.[1];
  if (digit !== undefined && ACTIONS[key] === undefined) {
    return { name: "label", value: Number(digit) };
  }
  return ACTIONS[key] ?? null;
}

/**
 * Whether the key belongs to what has the focus: a button is pressed by Enter and Space.
 *
 * @param {KeyboardEvent} event
 */
export function isTaken(event) {
  const target = /** @type {Element | null} */ (event.target instanceof Element ? event.target : null);
  if (target?.closest("input, select, textarea")) {
    return true;
  }
  return ["Enter", " "].includes(event.key) && target?.closest("button, a, summary") !== null;
}
