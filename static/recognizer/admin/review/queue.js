/**
 * The review queue in the browser: the drawings ahead, the steps that can be undone, how many are done. It shows every
 * step at once and sends it in the background; what could not be saved comes back.
 */

import { Card } from "./card.js";
import { SendQueue } from "./send_queue.js";
import { LabelRate } from "./rate.js";
import { Http, uuid } from "../../shared/http.js";
import { asSent, labelText } from "./number.js";
import { fill } from "../../shared/texts.js";

/** @typedef {import("../../shared/http.js").RequestError} RequestError */
/** @typedef {import("./send_queue.js").Task} Task */
/** @typedef {import("./types.js").Label} Label */
/** @typedef {import("./types.js").LabelState} LabelState */
/** @typedef {import("./types.js").Left} Left */
/** @typedef {import("./types.js").NextAnswer} NextAnswer */
/** @typedef {import("./types.js").RenewAnswer} RenewAnswer */
/** @typedef {import("./types.js").Setup} Setup */
/** @typedef {import("./types.js").UndoAnswer} UndoAnswer */

/**
 * @typedef {object} Step
 * @property {string} id
 * @property {Card} card
 * @property {Label | null} value the label; null for a skip
 * @property {Task} task
 * @property {boolean} isUndone
 * @property {boolean} hasFailed
 */

const PAGE = "review-page";
const STEPS = 10;
// More than the fastest typist labels while the next ones come.
const AHEAD = 24;
const REFILL_BELOW = 16;
const CONFLICT = 409;
const FLAGGED = "flagged";

/**
 * Whether the drawing has been deleted.
 *
 * @param {RequestError} failure
 */
function isGone({ status, code }) {
  return status === 404 && code === "not_found";
}

/**
 * Whether a drawing has another label than its card shows.
 *
 * @param {Card} card
 * @param {LabelState | undefined} label
 */
function isNews(card, label) {
  return label !== undefined && label.value !== card.label?.value;
}

/**
 * The id of this page, to which its claims belong. A reload keeps it: the same drawings are shown again. It is stored
 * only while the page unloads, so a duplicate of the tab gets an id of its own.
 */
function pageId() {
  const id = sessionStorage.getItem(PAGE) ?? uuid();
  sessionStorage.removeItem(PAGE);
  addEventListener("pagehide", () => sessionStorage.setItem(PAGE, id));
  addEventListener("pageshow", () => sessionStorage.removeItem(PAGE));
  return id;
}

export class ReviewQueue {
  #requests = new SendQueue((failure) => this.#unreachable(failure));
  #fetching = false;
  /** Whether the server had fewer drawings than were asked for. */
  #isDry = false;
  /** Whether new drawings were requested after all were done. */
  #isWaiting = false;
  #isAsked = false;
  /** Counts the changes of the order: an answer to an older request is ignored. */
  #generation = 0;
  #until = "";

  /**
   * @param {Setup} setup
   * @param {string} order
   * @param {() => void} changed
   * @param {(text: string, isLoggedOut: boolean) => void} complain
   */
  constructor(setup, order, changed, complain) {
    this.urls = setup.urls;
    this.http = new Http(setup.texts.error);
    this.page = pageId();
    this.digit = setup.digit;
    this.texts = setup.texts;
    this.order = order;
    this.changed = changed;
    this.complain = complain;
    /** @type {Card[]} the first is the one that is looked at */
    this.ahead = [];
    /** @type {Step[]} the last ones, the latest last */
    this.steps = [];
    this.done = 0;
    this.total = 0;
    /** @type {Left | null} */
    this.left = null;
    this.rate = new LabelRate();
    this.hasFailed = false;
    /** Whether labels wait for the site to be reached. */
    this.isCutOff = false;
  }

  /** @returns {Card | undefined} */
  get current() {
    return this.ahead[0];
  }

  get isDone() {
    return this.ahead.length === 0 && (this.#isWaiting || (this.#isDry && !this.#fetching && !this.hasUnsent));
  }

  /** How many labels, skips, notes and undos have no answer yet. */
  get unsent() {
    return this.#requests.unanswered.filter((task) => task.drawing !== undefined).length;
  }

  get hasUnsent() {
    return this.unsent > 0;
  }

  // What the reviewer does --------------------------------------------------------------------

  /** @param {Label} value */
  label(value) {
    const card = this.current;
    if (card !== undefined) {
      const seen = card.label?.value ?? null;
      this.rate.mark(performance.now());
      const clears = this.order === FLAGGED;
      card.drawing.is_flagged &&= !clears;
      this.#take(card, value, (id) =>
        this.#post("label", { id: card.id, ...asSent(value), seen, step: id, clears_flag: clears }),
      );
    }
  }

  /**
   * Set the note and the flag of the drawing that is looked at.
   *
   * @param {string} text
   * @param {boolean} isFlagged
   */
  setNote(text, isFlagged) {
    const card = this.current;
    if (card === undefined || (card.drawing.note === text && card.drawing.is_flagged === isFlagged)) {
      return;
    }
    Object.assign(card.drawing, { note: text, is_flagged: isFlagged });
    this.#requests.add({
      drawing: card.id,
      send: () => this.#post("note", { id: card.id, text, is_flagged: isFlagged }),
      done: (/** @type {{ said: string }} */ { said }) => {
        card.drawing.said = said;
        this.changed();
      },
      failed: (failure) => this.#report(failure, `${this.texts.not_saved} ${failure.message}`),
    });
    this.changed();
  }

  skip() {
    const card = this.current;
    if (card !== undefined) {
      this.#take(card, null, () => this.#post("skip", { id: card.id }));
    }
  }

  undo() {
    const step = this.steps.pop();
    if (step === undefined) {
      this.complain(this.texts.nothing_to_undo, false);
      return;
    }
    step.isUndone = true;
    this.#count(step, -1);
    const { card } = step;
    this.ahead.unshift(card);
    if (!this.#requests.drop(step.task)) {
      this.#requests.add({
        drawing: card.id,
        send: () => this.#post("undo", { id: card.id, step: step.value === null ? null : step.id }),
        done: (/** @type {UndoAnswer} */ { label, until }) => {
          this.#until = until;
          card.label = label;
          card.note = label?.text ?? "";
          this.changed();
        },
        failed: (failure) => this.#undoFailed(step, failure),
      });
    }
    this.changed();
  }

  /** @param {string} order */
  setOrder(order) {
    this.order = order;
    this.#generation += 1;
    const given = this.ahead.filter((card) => !card.isBack);
    this.ahead = this.ahead.filter((card) => card.isBack);
    this.#release(given.map((card) => card.id));
    this.#fetching = false;
    this.#isWaiting = false;
    this.#isDry = false;
    this.refill();
  }

  // What comes from the server ----------------------------------------------------------------

  /**
   * Ask for drawings although there were none, or the site was not there.
   *
   * @param {boolean} isAsked whether the reviewer wants an answer
   */
  lookAgain(isAsked) {
    this.#isWaiting = this.isDone;
    this.#isAsked = isAsked;
    this.#isDry = false;
    this.refill();
  }

  /** Request more drawings if few are left. */
  refill() {
    if (this.ahead.length === 0 && this.#isDry && this.left?.count !== 0) {
      // The last ones are done: perhaps new ones have come meanwhile.
      this.#isDry = false;
    }
    if (this.ahead.length < REFILL_BELOW && !this.#fetching && !this.#isDry) {
      this.#fetch(this.#generation, AHEAD - this.ahead.length);
    }
    this.changed();
  }

  /** Renew the claims on the drawings ahead, and learn which are lost or labelled. */
  renew() {
    if (this.ahead.length === 0) {
      return;
    }
    this.#requests.add({
      send: () => this.#post("renew", { have: this.ahead.map((card) => card.id) }),
      done: (/** @type {RenewAnswer} */ answer) => this.#renewed(answer),
      failed: (failure) => this.#report(failure),
    });
  }

  /** The page is being left. */
  leave() {
    this.#requests.flush();
    if (this.ahead.length > 0) {
      this.#post("release", { have: this.ahead.map((card) => card.id), until: this.#until }).catch(() => {});
    }
  }

  // -------------------------------------------------------------------------------------------

  /**
   * @param {keyof Setup["urls"]} name
   * @param {object} json
   * @returns {Promise<any>}
   */
  #post(name, json) {
    // It arrives even if the page is left in the same moment.
    return this.http.json(this.urls[name], { method: "POST", json: { page: this.page, ...json }, keepalive: true });
  }

  /**
   * @param {Card} card
   * @param {Label | null} value
   * @param {(id: string) => Promise<any>} send
   */
  #take(card, value, send) {
    const id = uuid();
    /** @type {Task} */
    const task = {
      drawing: card.id,
      isLabel: value !== null,
      send: () => send(id),
      done: () => this.refill(),
      failed: (failure) => this.#returnCard(step, failure),
    };
    /** @type {Step} */
    const step = { id, card, value, task, isUndone: false, hasFailed: false };
    card.note = "";
    card.said = null;
    this.#isWaiting = false;
    this.ahead.shift();
    this.steps = [...this.steps, step].slice(-STEPS);
    this.#count(step, 1);
    this.#requests.add(task);
    this.refill();
  }

  /**
   * @param {Step} step
   * @param {1 | -1} by
   */
  #count({ value }, by) {
    if (value === null) {
      // A skipped drawing is no longer waiting.
      this.total -= by;
      return;
    }
    this.done += by;
    if (by < 0) {
      this.rate.unmark();
    }
  }

  /**
   * @param {Step} step
   * @param {RequestError} failure
   */
  #returnCard(step, failure) {
    step.hasFailed = true;
    if (step.isUndone) {
      // It is ahead already.
      return;
    }
    const { card } = step;
    this.steps = this.steps.filter((each) => each !== step);
    this.#count(step, -1);
    if (isGone(failure)) {
      this.total -= 1;
      this.#report(failure);
      this.refill();
      return;
    }
    const reason = failure.status === CONFLICT ? failure.message : `${this.texts.not_saved} ${failure.message}`;
    card.note = reason;
    card.said = step.value;
    card.label = failure.content?.label ?? card.label;
    // Never in place of the drawing that is looked at: the next key is meant for that one.
    const behind = this.ahead.findIndex((each, index) => index > 0 && !each.isBack);
    this.ahead.splice(behind === -1 ? this.ahead.length : behind, 0, card);
    this.#report(failure, this.current === card ? reason : fill(this.texts.comes_back, { reason }));
    this.changed();
  }

  /**
   * @param {Step} step
   * @param {RequestError} failure
   */
  #undoFailed({ card, value, hasFailed }, failure) {
    if (value !== null && !hasFailed) {
      const text = fill(this.texts.not_undone, { label: labelText(value, this.texts.labels) });
      card.label = { value: asSent(value).label, text };
      card.note = `${failure.message} ${text}`;
    }
    if (isGone(failure)) {
      this.ahead = this.ahead.filter((each) => each !== card);
    }
    this.#report(failure);
    this.refill();
  }

  /**
   * @param {number} generation
   * @param {number} wanted
   */
  #fetch(generation, wanted) {
    this.#fetching = true;
    this.#requests.add({
      send: () => {
        const unsent = this.#requests.unanswered.flatMap(({ drawing }) => drawing ?? []);
        const have = [...new Set([...this.ahead.map((card) => card.id), ...unsent])];
        return this.#post("next", { order: this.order, digit: this.digit, wanted, have });
      },
      done: (/** @type {NextAnswer} */ answer) => {
        if (generation !== this.#generation) {
          this.#until = answer.until;
          this.#release(answer.drawings.map(({ id }) => id));
          return;
        }
        this.#receive(answer, wanted);
      },
      failed: (failure) => {
        if (generation === this.#generation) {
          this.#fetching = false;
          this.hasFailed = true;
        }
        this.#report(failure);
        this.changed();
      },
    });
  }

  /**
   * @param {NextAnswer} answer
   * @param {number} wanted
   */
  #receive({ drawings, left, until }, wanted) {
    this.#fetching = false;
    this.hasFailed = false;
    this.#until = until;
    this.#isDry = drawings.length < wanted;
    const known = new Set(this.ahead.map((card) => card.id));
    this.ahead.push(...drawings.filter(({ id }) => !known.has(id)).map((drawing) => new Card(drawing)));
    if (this.ahead.length > 0) {
      this.#isWaiting = false;
    } else if (this.#isWaiting && this.#isAsked) {
      this.complain(this.texts.nothing_new, false);
    }
    this.left = left;
    const unsent = this.#requests.unanswered.filter((task) => task.isLabel).length;
    this.total = this.done - unsent + left.count;
    this.changed();
  }

  /** @param {RenewAnswer} answer */
  #renewed({ until, lost, labelled }) {
    this.#until = until;
    const looked = this.current;
    this.ahead = this.ahead.filter(
      (card) => !lost.includes(card.id) && (card === looked || card.isBack || !isNews(card, labelled[card.id])),
    );
    if (looked !== undefined && isNews(looked, labelled[looked.id])) {
      looked.label = labelled[looked.id];
      looked.note = looked.label.text;
    }
    if (looked !== this.current) {
      this.complain(this.texts.lost, false);
    }
    this.refill();
  }

  /**
   * @param {RequestError} failure
   * @param {string} text
   */
  #report(failure, text = failure.message) {
    this.complain(text, failure.kind === "login");
  }

  /** @param {RequestError | null} failure */
  #unreachable(failure) {
    this.isCutOff = failure !== null;
    this.complain(failure === null ? "" : fill(this.texts.kept, { reason: failure.message }), false);
    this.changed();
  }

  /** @param {string[]} ids */
  #release(ids) {
    if (ids.length > 0) {
      const until = this.#until;
      this.#requests.add({
        send: () => this.#post("release", { have: ids, until }),
        done: () => {},
        // No message: the claims expire.
        failed: () => {},
      });
    }
  }
}
