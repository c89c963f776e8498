import assert from "node:assert/strict";
import { test } from "node:test";

import { toSend } from "../../../static/recognizer/draw/canvas/sending.js";

/** @typedef {import("../../../static/recognizer/draw/types.js").Stroke} Stroke */

/**
 * @param {Partial<Stroke>} [stroke]
 * @returns {Stroke}
 */
const stroke = ({ tool = "pen", width = 0.07, points = [{ x: 0.5, y: 0.25, pressure: 0.5 }] } = {}) => ({
  tool,
  width,
  points,
});

test("a point has its time since the first one, and its pressure where a pen was pressed", () => {
  const points = [
    { x: 0.5, y: 0.25, pressure: 0.5, time: 1_700_000_000_000 },
    { x: 0.75, y: 1, pressure: 0.81234, time: 1_700_000_000_016 },
  ];

  const sent = toSend([stroke({ points })]);

  assert.deepEqual(sent, {
    strokes: [
      [
        [1024, 512, 0],
        [1536, 2048, 16, 0.812],
      ],
    ],
    width: [143],
    size: [2048, 2048],
  });
});

test("a drawing that was stored without times is sent without", () => {
  const sent = toSend([stroke(), stroke({ points: [{ x: 0, y: 0, pressure: 1 }] })]);

  assert.deepEqual(sent && "strokes" in sent && sent.strokes, [[[1024, 512]], [[0, 0, null, 1]]]);
});

test("what was erased is named by its place", () => {
  const sent = toSend([stroke(), stroke({ tool: "eraser" }), stroke(), stroke({ tool: "eraser" })]);

  assert.deepEqual(sent && "erasers" in sent && sent.erasers, [1, 3]);
});

test("a pointer that was far outside is sent as at most one canvas away", () => {
  const sent = toSend([stroke({ points: [{ x: -9, y: 11, pressure: 0.5 }] })]);

  assert.deepEqual(sent && "strokes" in sent && sent.strokes, [[[-2048, 4096]]]);
});
