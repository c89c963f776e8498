/** Every sentence comes from the server, in the visitor's language; some have places for values. */

/**
 * What the server wrote into the page as JSON.
 *
 * @param {string} id
 * @param {ParentNode} [root]
 * @returns {any}
 */
export function readJson(id, root = document) {
  return JSON.parse(root.querySelector(`#${id}`)?.textContent ?? "null");
}

/**
 * Fill the `{name}`s of a text.
 *
 * @param {string} text
 * @param {Record<string, string | number>} values
 */
export function fill(text, values) {
  return text.replace(/\{(\w+)\}/g, (whole, name) => String(values[name] ?? whole));
}
