/** What a person says a drawing shows: a digit, 0 to 9, or that it is none. */

export const NOT_A_DIGIT = 10;

/**
 * The label that an answer stands for: its digit, or none where the drawing was refused.
 *
 * @param {{ digit: number, verdict: string }} answer
 */
export function answeredLabel({ digit, verdict }) {
  return verdict === "not_a_digit" ? NOT_A_DIGIT : digit;
}

/**
 * What the visitor has said of a prediction; null until they say something.
 *
 * @param {{ suggested_digit: number | null, suggested_not_a_digit: boolean }} prediction
 */
export function suggestedLabel({ suggested_digit: digit, suggested_not_a_digit: isNone }) {
  return isNone ? NOT_A_DIGIT : digit;
}
