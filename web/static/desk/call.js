// @ts-check
/** How the call of the open conversation stands: drawn anew with every event of it. */

import { fragment } from "./api.js";
import { spaced } from "./list.js";
import { announce } from "./notices.js";
import { tick } from "./ticking.js";
import { filled, words } from "./words.js";

const GAP_MS = 300;

export class CallStrip {
  /** Read again, not more often than a person can follow. */
  refresh = spaced(() => this.#read(), () => GAP_MS);

  /**
   * @param {string} base the address of the conversation
   * @param {() => string} who whose call it is, as the page calls him
   */
  constructor(base, who) {
    this.base = base;
    this.who = who;
    this.#showPlaceholder();
  }

  get #strip() {
    return document.getElementById("call-strip");
  }

  async #read() {
    const before = this.#strip;
    if (!before) return;
    const answer = await fragment(`${this.base}/call`);
    const fresh = answer.kind === "ok" ? answer.body.querySelector("#call-strip") : null;
    // Another conversation may be open by now, or somebody else have this one.
    if (answer.kind !== "ok" || !(fresh instanceof HTMLElement) || !before.isConnected) return;
    const was = before.dataset.state;
    const course = before.querySelector("details");
    const freshCourse = fresh.querySelector("details");
    if (course?.open && freshCourse) freshCourse.open = true;
    before.replaceWith(fresh);
    const hint = answer.body.querySelector("#call-hint");
    if (hint) document.getElementById("call-hint")?.replaceWith(hint);
    this.#showPlaceholder();
    tick();
    if (fresh.dataset.state !== was) {
      announce(filled(words.call_state, { who: this.who(), state: fresh.dataset.worded ?? "" }));
    }
  }

  #showPlaceholder() {
    const hint = document.getElementById("call-hint");
    const field = document.getElementById("text");
    if (hint?.dataset.placeholder && field instanceof HTMLTextAreaElement) field.placeholder = hint.dataset.placeholder;
  }
}
