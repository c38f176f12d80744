// @ts-check
/** The conversation that is open: its lines as they come, earlier ones on demand, and what is on its way. */

import { Follow } from "../citizen/follow.js";
import { fragment, parsed } from "./api.js";
import { prepare } from "./dialogs.js";
import { toast } from "./notices.js";
import { Transcript } from "./transcript.js";
import { tick } from "./ticking.js";
import { element, words } from "./words.js";

/** @typedef {import("./memory.js").Message} Message */

const FULL_PAGE = 50;
const TYPING_FADES_MS = 8000;
const TOP_PX = 40;

export class Talk {
  /** @type {Promise<void>} */
  #reading = Promise.resolve();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #typingTimer;
  #isPaging = false;

  /**
   * @param {string} id
   * @param {(row: Element) => void} [rowChanged] how the conversation stands in a list now
   */
  constructor(id, rowChanged = () => {}) {
    this.id = id;
    this.rowChanged = rowChanged;
    this.base = `/desk/c/${encodeURIComponent(id)}`;
    this.root = element("middle");
    this.scroller = element("scroller");
    this.follow = new Follow(this.scroller, element("new-lines"));
    this.transcript = new Transcript(element("log"));
    this.isMine = this.root.dataset.holds === "1";
    this.scroller.addEventListener("scroll", () => this.scroller.scrollTop < TOP_PX && this.#earlier(), { passive: true });
    this.scroller.addEventListener("click", (event) => {
      if (event.target instanceof Element && event.target.closest("#earlier")) this.#earlier();
    });
    this.follow.toEnd();
    this.#copyNotes();
  }

  /**
   * What is new is shown, one reading after the other.
   * @param {{from?: number, notes?: boolean}} [what] `from`: lines from this number on have changed
   * @returns {Promise<void>}
   */
  read(what = {}) {
    this.#reading = this.#reading.then(() => this.#read(what));
    return this.#reading;
  }

  /** @param {{from?: number, notes?: boolean}} what */
  async #read({ from, notes = false }) {
    let after = from === undefined ? this.transcript.last : from - 1;
    let count = FULL_PAGE;
    while (count >= FULL_PAGE && this.root.isConnected) {
      const noted = notes ? `&noted=${this.transcript.lastNote}` : "";
      const answer = await fragment(`${this.base}/lines?after=${after}${noted}`);
      // Not heard now: the feed says when there is something again, and reading begins where it ended.
      if (answer.kind !== "ok") return;
      count = answer.body.querySelectorAll(".line").length;
      this.show(answer.body);
      if (this.transcript.last <= after) return;
      after = this.transcript.last;
    }
  }

  /** @param {HTMLElement} body lines, notes and what the channel still takes */
  show(body) {
    const row = body.querySelector(".row");
    if (row) this.rowChanged(row);
    const meter = body.querySelector("#channel-meter");
    if (meter) document.getElementById("channel-meter")?.replaceWith(meter);
    const fresh = this.transcript.add(body);
    for (const node of fresh) {
      this.#outgoing(node.dataset.message)?.remove();
      if (node.dataset.author === "citizen") this.typing(false);
      this.follow.lineAdded(node);
    }
    if (fresh.some((node) => node.dataset.author === "citizen")) {
      document.body.dispatchEvent(new CustomEvent("desk:said", { bubbles: true }));
    }
    this.#copyNotes();
    tick();
  }

  /** @param {Message} message @param {"sending" | "waiting"} state @param {() => void} again */
  showOutgoing(message, state, again) {
    if (this.transcript.has(message.id)) return;
    let node = this.#outgoing(message.id);
    if (!node) {
      node = outgoing(message);
      element("outgoing").append(node);
    }
    const said = /** @type {HTMLElement} */ (node.querySelector(".delivery"));
    said.textContent = state === "sending" ? words.sending : words.waiting_network;
    said.className = `delivery delivery-${state}`;
    if (state === "waiting") {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "link-button";
      button.textContent = words.now_send;
      button.addEventListener("click", again);
      said.append(" ", button);
    }
    this.follow.toEnd();
  }

  /** @param {Message} message @param {string} html */
  arrived(message, html) {
    this.#outgoing(message.id)?.remove();
    this.show(parsed(html));
    this.follow.toEnd();
  }

  /** @param {string} id */
  removeOutgoing(id) {
    this.#outgoing(id)?.remove();
  }

  /** @param {boolean} on whether the citizen writes something */
  typing(on) {
    const sign = document.getElementById("citizen-typing");
    if (!sign) return;
    clearTimeout(this.#typingTimer);
    sign.hidden = !on;
    if (on) this.#typingTimer = setTimeout(() => this.typing(false), TYPING_FADES_MS);
    this.follow.settle();
  }

  /** @param {string | undefined} id @returns {HTMLElement | undefined} */
  #outgoing(id) {
    const nodes = /** @type {HTMLElement[]} */ (Array.from(document.querySelectorAll("#outgoing > .line")));
    return id === undefined ? undefined : nodes.find((node) => node.dataset.message === id);
  }

  async #earlier() {
    const button = document.getElementById("earlier");
    if (!button || this.#isPaging) return;
    this.#isPaging = true;
    button.textContent = "…";
    const answer = await fragment(`${this.base}/earlier?before=${button.dataset.before}`);
    this.#isPaging = false;
    if (answer.kind !== "ok") return toast(answer.message, "bad");
    const before = this.scroller.scrollHeight - this.scroller.scrollTop;
    button.remove();
    this.transcript.prepend(answer.body);
    this.scroller.scrollTop = this.scroller.scrollHeight - before;
  }

  /** The tab of notes shows those that are in the conversation. */
  #copyNotes() {
    const list = document.getElementById("notes-list");
    if (!list) return;
    const notes = Array.from(element("log").querySelectorAll(".note"), (note) => {
      const copy = /** @type {HTMLElement} */ (note.cloneNode(true));
      delete copy.dataset.break;
      return copy;
    });
    list.replaceChildren(...notes.reverse());
  }
}

/**
 * The conversation is on the page.
 * @param {HTMLElement} body its fragment: the middle and the side
 */
export function place(body) {
  for (const id of ["middle", "side"]) {
    const part = body.querySelector(`#${id}`);
    if (part instanceof HTMLElement) {
      element(id).replaceWith(part);
      prepare(part);
    }
  }
}

/** @param {Message} message */
function outgoing(message) {
  const node = document.createElement("div");
  node.className = "line line-agent outgoing";
  node.dataset.message = message.id;
  for (const name of ["line-text", "delivery"]) {
    const part = document.createElement("p");
    part.className = name;
    node.append(part);
  }
  node.firstElementChild?.append(message.text);
  return node;
}
