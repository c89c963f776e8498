/** Texts with places for values. Every sentence comes from the server, in the visitor's language. */

/**
 * Fill the `{name}`s of a text.
 *
 * @param {string} text
 * @param {Record<string, string | number>} values
 */
export function fill(text, values) {
  return text.replace(/\{(\w+)\}/g, (whole, name) => String(values[name] ?? whole));
}
