import assert from "node:assert/strict";
import { test } from "node:test";

import { BRUSH_WIDTHS, DEFAULT_BRUSH, pack, strokeWidth, StrokeModel } from "../../../static/recognizer/draw/canvas/strokes.js";

/**
 * @param {number} x
 * @param {number} y
 * @param {number} [pressure]
 */
const at = (x, y, pressure = 0.5) => ({ x, y, pressure });

/** A model with strokes that start at these x. @param {number[]} xs */
function drawn(...xs) {
  const model = new StrokeModel();
  for (const x of xs) {
    model.begin(at(x, 0));
    model.extend([at(x, 0.5), at(x, 1)]);
  }
  return model;
}

/** @param {StrokeModel} model */
const starts = (model) => model.strokes.map(({ points }) => points[0].x);

test("a new drawing is empty, and there is nothing to undo", () => {
  const model = new StrokeModel();

  assert.equal(model.isEmpty, true);
  assert.deepEqual([model.canUndo, model.canRedo, model.undo(), model.redo(), model.clear()], Array(5).fill(false));
  assert.equal(model.extend([at(0, 0)]), false);
});

test("a stroke has the brush it was begun with", () => {
  const model = new StrokeModel();

  model.begin(at(0, 0));
  model.begin(at(0, 0), { width: 0.1, tool: "eraser" });

  assert.deepEqual(
    model.strokes.map(({ tool, width }) => [tool, width]),
    [["pen", BRUSH_WIDTHS[DEFAULT_BRUSH]], ["eraser", 0.1]],
  );
});

test("points that repeat the one before are left out", () => {
  const model = new StrokeModel();
  model.begin(at(0, 0));

  assert.equal(model.extend([at(0, 0), at(0.1, 0), at(0.1, 0)]), true);
  assert.equal(model.extend([at(0.1, 0)]), false);

  assert.equal(model.newest?.points.length, 2);
});

test("strokes are undone one by one and redone in their order", () => {
  const model = drawn(0.1, 0.2, 0.3);

  model.undo();
  model.undo();
  assert.deepEqual(starts(model), [0.1]);

  model.redo();
  assert.deepEqual(starts(model), [0.1, 0.2]);
  model.redo();
  assert.deepEqual(starts(model), [0.1, 0.2, 0.3]);
  assert.equal(model.canRedo, false);
});

test("a new stroke ends what could be redone", () => {
  const model = drawn(0.1, 0.2);
  model.undo();

  model.begin(at(0.9, 0));

  assert.equal(model.redo(), false);
  assert.deepEqual(starts(model), [0.1, 0.9]);
});

test("clearing is undone like a stroke", () => {
  const model = drawn(0.1, 0.2);

  assert.equal(model.clear(), true);
  assert.equal(model.isEmpty, true);
  assert.equal(model.clear(), false, "an empty drawing is not cleared twice");

  model.begin(at(0.7, 0));
  assert.deepEqual(starts(model), [0.7]);
  model.undo();
  assert.equal(model.isEmpty, true);
  model.undo();
  assert.deepEqual(starts(model), [0.1, 0.2]);
  model.redo();
  assert.equal(model.isEmpty, true);
});

test("the revision names the drawing, also after undo and redo", () => {
  const model = drawn(0.1);
  const one = model.revision;
  model.begin(at(0.2, 0));
  const two = model.revision;
  model.extend([at(0.3, 0)]);
  const grown = model.revision;

  assert.equal(new Set([0, one, two, grown]).size, 4);
  model.undo();
  assert.equal(model.revision, one);
  model.redo();
  assert.equal(model.revision, grown);
  model.undo();
  model.begin(at(0.2, 0));
  assert.ok(![one, two, grown].includes(model.revision));
});

test("a dropped stroke can't be redone", () => {
  const model = drawn(0.1, 0.2);

  model.drop();

  assert.deepEqual(starts(model), [0.1]);
  assert.equal(model.canRedo, false);
});

test("erasing alone draws nothing", () => {
  const model = new StrokeModel();
  model.begin(at(0, 0), { tool: "eraser" });

  assert.equal(model.isEmpty, true);
  assert.equal(model.canUndo, true);
});

test("what is kept comes back as it was", () => {
  const model = drawn(0.12345678, 0.2);
  model.begin(at(0.5, 0.5, 0.9), { tool: "eraser", width: 0.14 });
  const kept = JSON.parse(JSON.stringify(pack(model.strokes)));

  const restored = new StrokeModel();
  assert.equal(restored.restore(kept), true);

  assert.deepEqual(pack(restored.strokes), pack(model.strokes));
  assert.ok(Math.abs(restored.strokes[0].points[0].x - 0.12345678) < 1e-4);
  assert.equal(restored.strokes[2].points[0].pressure, 0.9);
  restored.undo();
  assert.equal(restored.strokes.length, 2);
});

test("only what is on the canvas is kept: not what was cleared or undone", () => {
  const model = drawn(0.1);
  model.clear();
  model.begin(at(0.2, 0));
  model.begin(at(0.3, 0));
  model.undo();

  assert.equal(pack(model.strokes).length, 1);
});

test("what is no drawing is not restored", () => {
  const stroke = { tool: "pen", width: 0.07, points: [[0, 0, 0.5]] };
  const nonsense = [
    null, "strokes", {}, [], [null], [{}], [{ ...stroke, tool: "spray" }], [{ ...stroke, width: 0 }],
    [{ ...stroke, width: "0.07" }], [{ ...stroke, points: [] }], [{ ...stroke, points: [[0, 0]] }],
    [{ ...stroke, points: [[0, NaN, 0.5]] }], [{ ...stroke, points: [[0, 0, 2]] }],
    [{ ...stroke, points: [[0, 1e9, 0.5]] }], [{ ...stroke, points: Array(50_001).fill([0, 0, 0.5]) }],
  ]; // prettier-ignore

  for (const kept of nonsense) {
    const model = drawn(0.4);
    assert.equal(model.restore(kept), false, JSON.stringify(kept)?.slice(0, 80));
    assert.deepEqual(starts(model), [0.4], "the drawing that is there stays");
  }
});

test("the first stroke of a new drawing clears the one before, and both are undone together", () => {
  const model = drawn(0.1, 0.2);
  const { revision } = model;
  model.begin(at(0.3, 0), { isFirst: true });
  model.begin(at(0.4, 0));
  assert.deepEqual(model.strokes.map(({ points }) => points[0].x), [0.3, 0.4]);

  model.undo();
  model.undo();

  assert.equal(model.strokes.length, 2);
  assert.equal(model.revision, revision);
  model.redo();
  assert.equal(model.strokes.length, 1);
});

test("an eraser is wider than its brush, and never wider than the API takes", () => {
  for (const width of BRUSH_WIDTHS) {
    assert.equal(strokeWidth(width, "pen"), width);
    assert.ok(strokeWidth(width, "eraser") > 1.5 * width);
    assert.ok(strokeWidth(width, "eraser") <= 0.25);
  }
});
