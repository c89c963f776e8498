/**
 * Everything the page says comes from the server, in the visitor's language: recognizer/text/answers.py writes the same
 * sentences for pages made without JavaScript.
 */

/**
 * What an answer says, kept or not.
 *
 * @typedef {Pick<import("../types.js").Prediction, "digit" | "confidence" | "probabilities" | "verdict">} Answer
 */

import { fill } from "../../shared/texts.js";

/** @typedef {import("../types.js").Texts} Texts */

/** @returns {Texts} */
export function readTexts() {
  return JSON.parse(/** @type {HTMLElement} */ (document.getElementById("texts")).textContent ?? "");
}

// As the server writes it in the page's language. Node's test runner has no page.
const language = globalThis.document?.documentElement.lang || "en-GB";
const oneDecimal = new Intl.NumberFormat(language, { minimumFractionDigits: 1, maximumFractionDigits: 1 });

// No model is certain: above this no figure is given.
const NEARLY_ONE = 0.9995;

/**
 * @param {Texts} texts
 * @param {number} share 0 to 1
 */
function percent(texts, share) {
  return fill(texts.percent, { value: oneDecimal.format(100 * share) });
}

/**
 * @param {Texts} texts
 * @param {number} share 0 to 1
 */
export function shortPercent(texts, share) {
  return share >= NEARLY_ONE ? texts.percent_over_short : percent(texts, share);
}

/**
 * @param {Texts} texts
 * @param {number} confidence 0 to 1
 */
export function confidencePercent(texts, confidence) {
  return confidence >= NEARLY_ONE ? texts.percent_over : percent(texts, confidence);
}

/** @param {Answer} prediction */
export function isRefused(prediction) {
  return prediction.verdict === "not_a_digit";
}

/**
 * @param {Texts} texts
 * @param {Answer} prediction
 */
export function confidenceWord(texts, prediction) {
  const level = texts.confidence.find(({ at_least: atLeast }) => prediction.confidence >= atLeast);
  return texts.verdict_word[prediction.verdict] ?? level?.word ?? "";
}

/**
 * @param {Texts} texts
 * @param {Answer} prediction
 */
export function verdictSentence(texts, prediction) {
  const { digit, probabilities, verdict } = prediction;
  const second = secondBest(digit, probabilities);
  const values = { digit, a_digit: texts.a_digit[digit], a_second: texts.a_digit[second] };
  const isClose = verdict === "uncertain" && probabilities[second] >= texts.close.at_least;
  return fill(isClose ? texts.close.sentence : (texts.sentence[verdict] ?? ""), values);
}

/**
 * The second guess of an answer that is given as a digit, where it comes close; else nothing.
 *
 * @param {Texts} texts
 * @param {Answer} answer
 */
export function secondGuess(texts, { digit, probabilities, verdict }) {
  const second = secondBest(digit, probabilities);
  const share = probabilities[second];
  const isClose = verdict === "digit" && share >= texts.close.at_least;
  return isClose ? fill(texts.second, { a_second: texts.a_digit[second], percent: shortPercent(texts, share) }) : "";
}

/**
 * @param {number} digit
 * @param {number[]} probabilities
 * @returns {number} the likeliest other digit; of equal ones the smallest
 */
function secondBest(digit, probabilities) {
  let second = digit === 0 ? 1 : 0;
  probabilities.forEach((share, other) => {
    if (other !== digit && share > probabilities[second]) {
      second = other;
    }
  });
  return second;
}
