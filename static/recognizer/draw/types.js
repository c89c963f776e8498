/**
 * The shapes that modules share; types only. They live here, and not where they are used, because static files get
 * their hashed names from what they name: two modules that name each other, even in a comment, could never be hashed.
 */

/**
 * A point of a stroke, in widths of the canvas; a pointer that leaves it gives points outside 0..1. Pressure is 0 to 1,
 * and 0.5 where none is felt. Time is in ms since 1970.
 *
 * @typedef {{ x: number, y: number, pressure: number, time?: number }} Point
 */

/** @typedef {"pen" | "eraser"} Tool */

/** @typedef {import("../shared/labels.js").Label} Label */

/** @typedef {{ tool: Tool, width: number, points: Point[] }} Stroke */

/**
 * A drawing as the API takes it: strokes, or a data URL.
 *
 * @typedef {{ strokes: (number | null)[][][], width: number[], size: number[], erasers?: number[] } | { image: string }} SentDrawing
 */

/** @typedef {"digit" | "uncertain" | "not_a_digit"} Verdict */

/**
 * What is said of an answer, as the server writes it.
 *
 * @typedef {object} Words
 * @property {string} sentence
 * @property {string} confidence
 * @property {string} percent
 * @property {string} short_percent
 * @property {string} second
 * @property {string} bars_heading
 * @property {string[]} bars
 * @property {string} announcement
 * @property {string} note
 * @property {string} personal
 * @property {string} suggestion
 */

/**
 * What an answer says of a number: nothing if the drawing is one digit, or none.
 *
 * @typedef {object} Answered
 * @property {string | null} number
 * @property {{ digit: number, confidence: number }[]} parts
 */

/**
 * An answer, as the API gives it: the visitor's own where `personal`, and the network's beside it.
 *
 * @typedef {object} Prediction
 * @property {string} id
 * @property {number} digit
 * @property {number} confidence
 * @property {number[]} probabilities
 * @property {Verdict} verdict
 * @property {boolean} personal
 * @property {{ digit: number, confidence: number, verdict: Verdict }} network
 * @property {string | null} remembered_id
 * @property {string | null} remembered_image_url
 * @property {number | null} suggested_digit
 * @property {boolean} suggested_not_a_digit
 * @property {string | null} suggested_number
 * @property {string | null} number
 * @property {{ digit: number, confidence: number }[]} parts
 * @property {Words} words
 * @property {string} model_version
 * @property {string} source
 * @property {string} image_url
 * @property {string} model_input_url
 * @property {string} created_at
 */

/**
 * An answer to a drawing that is not stored. `ink_box` is the part that was used, as fractions of the image's size.
 *
 * @typedef {object} Preview
 * @property {number} digit
 * @property {number} confidence
 * @property {number[]} probabilities
 * @property {Verdict} verdict
 * @property {boolean} personal
 * @property {{ digit: number, confidence: number, verdict: Verdict }} network
 * @property {string | null} remembered_id
 * @property {string | null} remembered_image_url
 * @property {string | null} number
 * @property {{ digit: number, confidence: number }[]} parts
 * @property {string} model_version
 * @property {Words} words
 * @property {string} model_input a data URL
 * @property {{ left: number, top: number, width: number, height: number }} ink_box
 */

/** @typedef {{ deleted: number, unlinked: number }} Removed */

/** @typedef {{ next: string | null, results: Prediction[] }} PredictionList */

/**
 * A drawing to be saved. The key makes sending it twice store it once; the label is what the visitor says that it shows.
 * One that waits could not be sent yet; a prediction is there once it is saved. The revision is that of the drawing on
 * the canvas, and -1 if it was drawn on a page that was left.
 *
 * @typedef {object} Job
 * @property {string} key
 * @property {number} revision
 * @property {Stroke[]} strokes
 * @property {Label | null} label
 * @property {"sending" | "waiting" | "saved"} state
 * @property {Prediction | null} prediction
 */

/**
 * A drawing of the history, as its entry on the page holds it.
 *
 * @typedef {object} Entry
 * @property {string} id
 * @property {number} digit
 * @property {string} verdict
 * @property {string | null} number
 * @property {string} source
 * @property {string} sentence
 * @property {string} image_url
 */

/**
 * A visitor's correction of a drawing: their choice, and the label that the site has.
 *
 * @typedef {object} Suggestion
 * @property {Label | null} choice
 * @property {Label | null} saved
 * @property {string} note what the history says of it
 * @property {"idle" | "sending" | "saved" | "failed"} state
 * @property {string} error a sentence where it failed
 */

/** @typedef {{ enabled: boolean, count: number }} Memory */

/** @typedef {{ on: string, off: string }} Switch */

/**
 * @typedef {object} FeedbackTexts
 * @property {string} before
 * @property {string} stored
 * @property {string} sending
 * @property {string[]} said
 * @property {string} said_number
 * @property {Switch} thanks
 * @property {string} undone
 * @property {string} still_here
 * @property {string} not_sent
 */

/**
 * @typedef {object} PictureParts
 * @property {Texts} texts
 * @property {(file: File, signal: AbortSignal) => Promise<Preview>} look
 * @property {(file: File, label: Label | null) => Promise<void>} send rejects with a RequestError
 * @property {() => void} removed called when the visitor has taken the picture away
 * @property {(sentence: string) => void} announce
 */

/**
 * All that the page says, as recognizer/text/answers.py gives it.
 *
 * @typedef {object} Texts
 * @property {string} bars_heading
 * @property {Record<string, string>} error
 * @property {string} empty_canvas
 * @property {string} hidden_canvas
 * @property {string} choose_image
 * @property {string} kept
 * @property {string} undo_brings_back
 * @property {string} unreachable
 * @property {string} prompt
 * @property {string} prompt_off
 * @property {string} advice
 * @property {{ save: string, saving: string, saved: string }} save
 * @property {string} cleared
 * @property {string} more_shown
 * @property {string} waiting
 * @property {string} waiting_soon
 * @property {string} throttled
 * @property {string} sent_later
 * @property {{ pauses: string, unreachable: string, off: string }} live
 * @property {{ looking: string, cropped: string, wrong_type: string, too_large: string }} picture
 * @property {{ pen_down: string, pen_up: string, undone: string, redone: string }} tools
 * @property {{ result: string, done: string, failed: string }} copy
 * @property {{ on: string, off: string, made: string, revoked: string }} public
 * @property {Record<string, string>} removed
 * @property {FeedbackTexts} feedback
 * @property {{ state: Switch, switch: Switch, count: string, reset: string }} memory
 */
