/**
 * The shapes that the modules share; types only, so that no two modules ever name each other: static files get their
 * hashed names from what they name.
 */

/**
 * A digit, 10 for "not a digit", or a number of several digits as text.
 *
 * @typedef {import("../../shared/labels.js").Label} Label
 */

/**
 * A drawing, as recognizer/admin/review/queue_text.py gives it.
 *
 * @typedef {object} Drawing
 * @property {string} id
 * @property {boolean} is_audit
 * @property {string | null} drawing a data URL; null where what is stored is damaged
 * @property {string | null} seen a data URL
 * @property {number} digit
 * @property {string} percent
 * @property {"digit" | "uncertain" | "not_a_digit"} verdict
 * @property {string} verdict_text
 * @property {Label} answered the answer as a label
 * @property {{ digit: number, width: string, percent: string }[]} best
 * @property {string} suggestion
 * @property {Label | null} suggested the suggestion as a label
 * @property {boolean} disagrees
 * @property {string} personal
 * @property {LabelState | null} known the label, if it looks wrong or the drawing is flagged
 * @property {string} note
 * @property {boolean} is_flagged
 * @property {string} said who has set the note or the flag, and when
 * @property {string} model
 * @property {string} drawn
 * @property {string} created_at
 * @property {string} url
 */

/**
 * What is stored as a drawing's label, and what is said of who set it.
 *
 * @typedef {{ value: number | null, text: string }} LabelState
 */

/** @typedef {{ count: number, is_more: boolean, with_others: number, skipped: number }} Left */

/** @typedef {{ drawings: Drawing[], left: Left, until: string }} NextAnswer */

/** @typedef {{ label: LabelState | null, until: string }} UndoAnswer */

/** @typedef {{ until: string, lost: string[], labelled: Record<string, LabelState> }} RenewAnswer */

/**
 * All that the page says, as recognizer/admin/review/queue_text.py gives it.
 *
 * @typedef {object} Texts
 * @property {string[]} labels
 * @property {string} progress
 * @property {string} progress_more
 * @property {string} pace
 * @property {Record<string, string>} read
 * @property {string} confirm
 * @property {string} announcement
 * @property {string} announcement_audit
 * @property {string} alt
 * @property {string} damaged
 * @property {string} keep
 * @property {string} overrule
 * @property {string} again
 * @property {string} not_saved
 * @property {string} kept
 * @property {string} unsent
 * @property {string} nothing_said
 * @property {string} flag
 * @property {string} flagged
 * @property {string} comes_back
 * @property {string} not_undone
 * @property {string} nothing_to_undo
 * @property {string} nothing_new
 * @property {string} lost
 * @property {string} skipped
 * @property {string} saving
 * @property {string} summary
 * @property {string} with_others
 * @property {string} still_skipped
 * @property {Record<string, string>} error
 */

/**
 * @typedef {object} Setup
 * @property {Record<"next" | "label" | "skip" | "note" | "undo" | "renew" | "release", string>} urls
 * @property {number | null} digit
 * @property {Texts} texts
 */

export {};
