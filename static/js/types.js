/**
 * The shapes that modules share; types only. They live here, and not where they are used, because static files get
 * their hashed names from what they name: two modules that name each other, even in a comment, could never be hashed.
 */

/**
 * A point of a stroke, in widths of the canvas; a pointer that leaves it gives points outside 0..1. Pressure is 0 to 1,
 * and 0.5 where none is felt.
 *
 * @typedef {{ x: number, y: number, pressure: number }} Point
 */

/** @typedef {"pen" | "eraser"} Tool */

/** @typedef {{ tool: Tool, width: number, points: Point[] }} Stroke */

/**
 * An answer, as the API gives it.
 *
 * @typedef {object} Prediction
 * @property {string} id
 * @property {number} digit
 * @property {number} confidence
 * @property {number[]} probabilities
 * @property {"digit" | "uncertain" | "not_a_digit"} verdict
 * @property {string} model_version
 * @property {string} source
 * @property {string} image_url
 * @property {string} model_input_url
 * @property {string} created_at
 */

/** @typedef {{ next: string | null, results: Prediction[] }} PredictionList */

/**
 * All that the page says, as recognizer/wording.py gives it.
 *
 * @typedef {object} Texts
 * @property {string} percent
 * @property {string} percent_over
 * @property {string} percent_over_short
 * @property {{ at_least: number, word: string }[]} confidence
 * @property {Record<string, string | undefined>} verdict_word
 * @property {Record<string, string>} sentence
 * @property {{ at_least: number, sentence: string }} close
 * @property {string[]} a_digit
 * @property {{ shown: string, refused: string }} bars_heading
 * @property {Record<string, string>} note
 * @property {Record<string, string>} error
 * @property {string} announcement
 * @property {string} empty_canvas
 * @property {string} choose_image
 * @property {string} kept
 * @property {string} prompt
 * @property {string} changed
 * @property {string} predict
 * @property {string} busy
 * @property {string} cleared
 * @property {string} more_shown
 */
