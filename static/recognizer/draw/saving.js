/**
 * Saves drawings, one after the other: two at once of a new visitor, who has no cookie yet, would get two owners. What
 * can't be sent waits in the browser and goes out later.
 */

import { Outbox } from "./offline/outbox.js";
import { forgetWaiting, storeWaiting } from "./offline/storage.js";
import { pack, unpack } from "./canvas/strokes.js";
import { RequestError, uuid } from "../shared/http.js";

/** @typedef {import("./offline/storage.js").Waiting} Waiting */
/** @typedef {import("./types.js").Job} Job */
/** @typedef {import("./types.js").Label} Label */
/** @typedef {import("./types.js").Prediction} Prediction */
/** @typedef {import("./types.js").Stroke} Stroke */

/** The revision of a drawing of a page that was left. */
const LEFT = -1;

export class Saving {
  /** By the revision of the drawing. @type {Map<number, Job>} */
  #jobs = new Map();
  #turn = Promise.resolve();

  /**
   * @param {object} page
   * @param {(job: Job) => Promise<Prediction>} page.send
   * @param {(job: Job) => void} page.changed called when the state of a job has changed
   * @param {(job: Job, prediction: Prediction) => void} page.stored
   * @param {(job: Job, error: RequestError) => void} page.failed not called again for what already waits
   */
  constructor({ send, changed, stored, failed }) {
    this.page = { send, changed, stored, failed };
    this.outbox = new Outbox({ send: (waiting) => this.inTurn(() => this.#send(this.#jobOf(waiting))) });
  }

  /**
   * The drawing with this revision, if it is saved, waits or is on its way.
   *
   * @param {number} revision
   */
  of(revision) {
    return this.#jobs.get(revision);
  }

  /**
   * @param {number} revision
   * @param {Stroke[]} strokes
   * @param {Label | null} label what the visitor says that the drawing shows
   */
  save(revision, strokes, label) {
    const job = this.#jobs.get(revision) ?? newJob(revision, { key: uuid(), strokes, label });
    this.#jobs.set(revision, job);
    job.state = "sending";
    this.say(job, label ?? job.label);
    return this.inTurn(() => this.#send(job));
  }

  /**
   * Say what a drawing shows that is not stored yet.
   *
   * @param {Job} job
   * @param {Label | null} label
   */
  say(job, label) {
    job.label = label;
    if (job.state === "waiting") {
      storeWaiting(waitingOf(job));
    }
    this.page.changed(job);
  }

  /** Send what still waits from an earlier visit. */
  resume() {
    this.outbox.flush();
  }

  /**
   * Do something when all that was asked before is done.
   *
   * @template T
   * @param {() => Promise<T>} action
   * @returns {Promise<T>}
   */
  inTurn(action) {
    const done = this.#turn.then(action);
    const over = () => undefined;
    this.#turn = done.then(over, over);
    return done;
  }

  /**
   * @param {Job} job
   * @returns {Promise<"sent" | "refused" | "later">}
   */
  async #send(job) {
    if (job.state === "saved") {
      return "sent";
    }
    const hasFailed = job.state === "waiting";
    try {
      job.prediction = await this.page.send(job);
      job.state = "saved";
      forgetWaiting(job.key);
      this.page.stored(job, job.prediction);
      return "sent";
    } catch (error) {
      if (!(error instanceof RequestError)) {
        throw error;
      }
      if (error.isTemporary) {
        job.state = "waiting";
        this.outbox.add(waitingOf(job));
      } else {
        forgetWaiting(job.key);
        this.#forget((each) => each === job);
      }
      this.page.changed(job);
      if (!hasFailed) {
        this.page.failed(job, error);
      }
      return error.isTemporary ? "later" : "refused";
    }
  }

  /**
   * A drawing, or all of them, has been deleted: it may be saved anew.
   *
   * @param {string | null} id a prediction's; null: all
   */
  removed(id) {
    this.#forget((job) => job.prediction !== null && (id === null || job.prediction.id === id));
  }

  /** @param {(job: Job) => boolean} condition */
  #forget(condition) {
    for (const [revision, job] of this.#jobs) {
      if (condition(job)) {
        this.#jobs.delete(revision);
      }
    }
  }

  /**
   * @param {Waiting} waiting
   * @returns {Job} one of this page, or of one that was left
   */
  #jobOf({ key, strokes, label }) {
    const known = [...this.#jobs.values()].find((job) => job.key === key);
    if (known !== undefined) {
      return known;
    }
    const left = newJob(LEFT, { key, strokes: unpack(strokes) ?? [], label: label ?? null });
    left.state = "waiting";
    return left;
  }
}

/**
 * @param {number} revision
 * @param {{ key: string, strokes: Stroke[], label: Label | null }} drawing
 * @returns {Job}
 */
function newJob(revision, drawing) {
  return { ...drawing, revision, state: "sending", prediction: null };
}

/**
 * @param {Job} job
 * @returns {Waiting}
 */
function waitingOf({ key, strokes, label }) {
  return { key, strokes: pack(strokes), label };
}
