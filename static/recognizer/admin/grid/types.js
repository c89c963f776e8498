/**
 * @typedef {object} Texts
 * @property {string} right the value of "as read"
 * @property {string} leave the value of "not sure, leave open"
 * @property {Record<string, string>} labels
 * @property {Record<string, string>} badges
 * @property {{ confirm: string, correct: string, leave: string }} save
 * @property {string} marked
 * @property {string} corrected
 * @property {{ none: string, marked: string }} which
 * @property {string} busy
 * @property {string} unreachable
 * @property {string} refused
 */

export {};
