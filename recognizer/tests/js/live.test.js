import assert from "node:assert/strict";
import { mock, test } from "node:test";

import { LiveGuess } from "../../../static/recognizer/draw/answer/live.js";

/** A server that answers when told to, beside a clock that moves when told to. */
function setUp() {
  let clock = 0;
  mock.timers.enable({ apis: ["setTimeout"] });
  /** @type {{ signal: AbortSignal, answer: (value: string) => Promise<void>, fail: (error: unknown) => Promise<void> }[]} */
  const asked = [];
  /** @type {string[]} */
  const shown = [];
  const settle = async () => {
    for (let i = 0; i < 10; i += 1) {
      await Promise.resolve();
    }
  };
  const live = new LiveGuess({
    ask: (signal) =>
      new Promise((resolve, reject) => {
        signal.addEventListener("abort", () => reject(new Error("aborted")));
        asked.push({
          signal,
          answer: (value) => {
            resolve(value);
            return settle();
          },
          fail: (error) => {
            reject(error);
            return settle();
          },
        });
      }),
    show: (/** @type {string} */ answer) => shown.push(answer),
    pauseOf: (error) => /** @type {any} */ (error).pause,
    now: () => clock,
  });
  /** @param {number} ms */
  const pass = async (ms) => {
    clock += ms;
    mock.timers.tick(ms);
    await settle();
  };
  return { live, asked, shown, pass };
}

test.afterEach(() => mock.timers.reset());

test("strokes that follow one another are asked about once", async () => {
  const { live, asked, pass } = setUp();

  live.request();
  await pass(20);
  live.request();
  await pass(39);
  assert.equal(asked.length, 0);
  await pass(1);

  assert.equal(asked.length, 1);
});

test("a newer stroke calls the older question off, and its answer is not shown", async () => {
  const { live, asked, shown, pass } = setUp();
  live.request();
  await pass(40);

  live.request();

  assert.equal(asked[0].signal.aborted, true);
  await asked[0].answer("old");
  await pass(80);
  await asked[1].answer("new");
  assert.deepEqual(shown, ["new"]);
});

test("a slow server is asked no faster than it answers", async () => {
  const { live, asked, pass } = setUp();
  live.request();
  await pass(40);
  await pass(4000);
  await asked[0].answer("slow");

  live.request();
  await pass(40);
  assert.equal(asked.length, 2, "it had all the time since the question before");
  await pass(60);
  for (let stroke = 0; stroke < 10; stroke += 1) {
    live.request();
    await pass(100);
  }

  assert.equal(asked.length, 2, "ten strokes in a second, and no further question");
  await pass(1000);
  assert.equal(asked.length, 3, "the last of them is asked about in the end");
});

test("after a refusal it pauses as long as it is told to", async () => {
  const { live, asked, pass } = setUp();
  live.request();
  await pass(40);
  await asked[0].fail({ pause: 30_000 });

  live.request();
  await pass(29_000);
  assert.equal(asked.length, 1);
  await pass(1_100);

  assert.equal(asked.length, 2);
});

test("failures that name no time make longer and longer pauses, until one answer comes", async () => {
  const { live, asked, pass } = setUp();
  for (const [number, wait] of [10_000, 20_000, 40_000, 60_000, 60_000].entries()) {
    live.request();
    await pass(70_000);
    await asked[number].fail({ pause: 0 });
    live.request();
    await pass(wait - 1_000);
    assert.equal(asked.length, number + 1);
  }
  await pass(1_100);
  await asked[5].answer("7");

  live.request();
  await pass(1_000);
  assert.equal(asked.length, 7);
});

test("a drawing that can't be read is no reason to pause", async () => {
  const { live, asked, pass } = setUp();
  live.request();
  await pass(40);
  await asked[0].fail({ pause: null });

  live.request();
  await pass(50);

  assert.equal(asked.length, 2);
});

test("switched off, it asks nothing", async () => {
  const { live, asked, pass } = setUp();
  live.isOn = false;

  live.request();
  await pass(1_000);

  assert.equal(asked.length, 0);
});
