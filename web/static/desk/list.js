// @ts-check
/** The agent's conversations, his offers and the queue, as the gateway lists them. */

import { fragment } from "./api.js";
import { unread } from "./memory.js";
import { setTitle } from "./notices.js";
import { tick } from "./ticking.js";
import { element } from "./words.js";

const MINE_GAP_MS = 300;
const QUEUE_GAP_MS = 2000;
/** Where only the number of those who wait is seen. */
const HIDDEN_QUEUE_GAP_MS = 6000;

/**
 * `work` at once, and then not more often than every `gap` milliseconds; what comes in between is done once after it.
 * @param {() => Promise<void>} work
 * @param {() => number} gap
 */
export function spaced(work, gap) {
  let isBusy = false;
  let isWanted = false;
  const run = async () => {
    if (isBusy) {
      isWanted = true;
      return;
    }
    isBusy = true;
    await work();
    setTimeout(() => {
      isBusy = false;
      if (isWanted) {
        isWanted = false;
        run();
      }
    }, gap());
  };
  return run;
}

export class List {
  /** @type {string | null} */
  open = null;
  refresh = spaced(() => this.#readMine(), () => MINE_GAP_MS);
  refreshQueue = spaced(
    () => this.#readQueue(),
    () => (element("panel-queue").hidden ? HIDDEN_QUEUE_GAP_MS : QUEUE_GAP_MS),
  );

  /** @param {() => void} changed called when offers or conversations have changed */
  constructor(changed) {
    this.changed = changed;
    this.#mark();
  }

  /** @returns {HTMLElement[]} */
  get rows() {
    return Array.from(element("list").querySelectorAll(".row"));
  }

  /** @returns {HTMLElement[]} */
  get offers() {
    return Array.from(element("offers").querySelectorAll(".offer"));
  }

  /** @param {string} id */
  has(id) {
    return document.getElementById(`row-${id}`) !== null;
  }

  /** @param {string} id */
  whoIs(id) {
    return document.getElementById(`row-${id}`)?.dataset.who ?? "";
  }

  /** @param {string} id of the conversation that is open now */
  choose(id) {
    this.open = id;
    this.seen(id);
  }

  /** @param {string} id */
  seen(id) {
    unread.keep((other) => other !== id);
    this.#mark();
  }

  /** @param {string} id something was said there that nobody has looked at */
  said(id) {
    unread.more(id);
    this.#mark();
  }

  /**
   * The conversation next to the one that is open.
   * @param {1 | -1} step
   * @returns {string | undefined}
   */
  beside(step) {
    const ids = this.rows.map((row) => row.dataset.id ?? "");
    const at = ids.indexOf(this.open ?? "");
    if (at === -1) return ids[step === 1 ? 0 : ids.length - 1];
    return ids[(at + step + ids.length) % ids.length];
  }

  /** @param {string} id */
  async refreshRow(id) {
    const answer = await fragment(`/desk/c/${encodeURIComponent(id)}/row`);
    const fresh = answer.kind === "ok" ? answer.body.querySelector(".row") : null;
    if (fresh) this.replaceRow(fresh);
  }

  /** @param {Element} fresh */
  replaceRow(fresh) {
    const row = element("list").querySelector(`#${CSS.escape(fresh.id)}`);
    if (!row) return;
    keepingFocus(() => row.replaceWith(fresh));
    this.#mark();
    tick();
    this.changed();
  }

  async #readMine() {
    const answer = await fragment("/desk/mine");
    if (answer.kind !== "ok") return;
    keepingFocus(() => {
      for (const id of ["offers", "list"]) {
        const fresh = answer.body.querySelector(`#${id}`);
        if (fresh) element(id).replaceWith(fresh);
      }
    });
    unread.keep((id) => this.has(id));
    this.#mark();
    tick();
    this.changed();
  }

  async #readQueue() {
    const answer = await fragment("/desk/queue");
    const fresh = answer.kind === "ok" ? answer.body.querySelector("#queue") : null;
    if (!(fresh instanceof HTMLElement)) return;
    keepingFocus(() => element("queue").replaceWith(fresh));
    element("queue-count").textContent = fresh.dataset.count ?? "";
    tick();
  }

  #mark() {
    const counts = unread.all();
    for (const row of this.rows) {
      const id = row.dataset.id ?? "";
      if (id === this.open) row.setAttribute("aria-current", "true");
      else row.removeAttribute("aria-current");
      const badge = /** @type {HTMLElement} */ (row.querySelector(".unread"));
      badge.hidden = !counts[id];
      badge.textContent = counts[id] ? `${counts[id]}` : "";
      badge.title = counts[id] ? `${counts[id]}` : "";
    }
    element("mine-count").textContent = String(this.rows.length);
    setTitle(Object.values(counts).reduce((sum, count) => sum + count, 0) + this.offers.length);
  }
}

/** @type {{id: string, act?: string, handover?: string}} */
const nowhere = { id: "" };

/**
 * The keyboard stays where it was when what it was on is drawn anew.
 * @param {() => void} change
 */
function keepingFocus(change) {
  const active = document.activeElement;
  const { id, act, handover } = active instanceof HTMLElement ? { id: active.id, ...active.dataset } : nowhere;
  change();
  if (active?.isConnected) return;
  const again = id ? document.getElementById(id) : null;
  const same = act ? document.querySelector(`[data-act="${act}"][data-handover="${handover}"]`) : again;
  if (same instanceof HTMLElement) same.focus({ preventScroll: true });
}
