/**
 * What the browser stores for the page. The drawing on the canvas belongs to its tab and survives a reload; settings
 * and drawings that could not be sent belong to the browser.
 */

const DRAWING = "digitsite.drawing";
const CHOICES = "digitsite.choices";
const OUTBOX = "digitsite.outbox";

/** If more wait for the network, the oldest are dropped. */
const MOST_WAITING = 20;

/**
 * A drawing that waits for the network: its key makes sending it twice store it once. The label is what the visitor
 * said that it shows, if they have said it.
 *
 * @typedef {{ key: string, strokes: unknown, label?: import("../types.js").Label | null }} Waiting
 */

/**
 * @param {() => Storage} storage looked up late: merely naming it throws where the visitor blocks it
 * @param {string} key
 * @returns {any} null where there is nothing, or no storage
 */
function read(storage, key) {
  try {
    return JSON.parse(storage().getItem(key) ?? "null");
  } catch {
    return null;
  }
}

/**
 * @param {() => Storage} storage
 * @param {string} key
 * @param {unknown} value null to forget it
 */
function write(storage, key, value) {
  try {
    if (value === null) {
      storage().removeItem(key);
    } else {
      storage().setItem(key, JSON.stringify(value));
    }
  } catch {
    // Full or blocked: the page works without.
  }
}

const ofTab = () => sessionStorage;
const ofBrowser = () => localStorage;

/** @returns {unknown} the strokes that were on the canvas when the page was left */
export function storedStrokes() {
  return read(ofTab, DRAWING);
}

/** @param {unknown} strokes what `pack` gives, or null once they are saved */
export function storeStrokes(strokes) {
  write(ofTab, DRAWING, strokes);
}

/**
 * @template T
 * @param {string} name
 * @param {T} fallback
 * @returns {T}
 */
export function choice(name, fallback) {
  const found = read(ofBrowser, CHOICES)?.[name];
  return typeof found === typeof fallback ? found : fallback;
}

/**
 * @param {string} name
 * @param {unknown} value
 */
export function choose(name, value) {
  write(ofBrowser, CHOICES, { ...read(ofBrowser, CHOICES), [name]: value });
}

/** @returns {Waiting[]} oldest first */
export function waiting() {
  const stored = read(ofBrowser, OUTBOX);
  return Array.isArray(stored) ? stored.filter((each) => typeof each?.key === "string") : [];
}

/** @param {Waiting} drawing */
export function storeWaiting(drawing) {
  const others = waiting().filter(({ key }) => key !== drawing.key);
  write(ofBrowser, OUTBOX, [...others, drawing].slice(-MOST_WAITING));
}

/** @param {string} key */
export function forgetWaiting(key) {
  const others = waiting().filter((each) => each.key !== key);
  write(ofBrowser, OUTBOX, others.length > 0 ? others : null);
}
