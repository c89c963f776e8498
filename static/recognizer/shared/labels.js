/**
 * What a person says a drawing shows: a digit, 0 to 9, that it is none, or a number of several digits.
 *
 * @typedef {number | string} Label a number of several digits is text: 10 is "not a digit", and "10" is ten
 */

export const NOT_A_DIGIT = 10;

/**
 * The label that an answer stands for: its number or digit, or none where the drawing was refused.
 *
 * @param {{ digit: number, verdict: string, number: string | null }} answer
 * @returns {Label}
 */
export function answeredLabel({ digit, verdict, number }) {
  return number ?? (verdict === "not_a_digit" ? NOT_A_DIGIT : digit);
}

/**
 * What the visitor has said of a prediction; null until they say something.
 *
 * @param {{ suggested_digit: number | null, suggested_not_a_digit: boolean, suggested_number: string | null }} prediction
 * @returns {Label | null}
 */
export function suggestedLabel({ suggested_digit: digit, suggested_not_a_digit: isNone, suggested_number: number }) {
  return number ?? (isNone ? NOT_A_DIGIT : digit);
}
