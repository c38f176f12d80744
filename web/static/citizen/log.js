// @ts-check
/** The bubbles. All text goes in as text, never as HTML. */

import { timeShown } from "./time.js";

/** @typedef {import("./lines.js").Line} Line */
/** @typedef {import("./lines.js").Message} Message */
/** @typedef {import("./lines.js").Words} Words */
/** @typedef {"sending" | "failed" | "sent"} Delivery */

const PAUSE_MS = 5 * 60 * 1000;

export class Log {
  /**
   * @param {HTMLElement} root
   * @param {Words} words
   * @param {(message: Message) => void} resend
   */
  constructor(root, words, resend) {
    this.root = root;
    this.words = words;
    this.resend = resend;
    const prefixes = words.source_prefixes.join("|");
    this.isSource = new RegExp(`^(?:${prefixes})[：:]`);
  }

  /**
   * Shows a stored line in its place; a line of ours that is already there is confirmed.
   * @param {Line} line
   * @returns {HTMLElement}
   */
  show(line) {
    const known = line.id ? this.#byId(line.id) : null;
    const row = known ?? this.#row(line.author, line.text, line.at, line.signed);
    row.dataset.seq = String(line.seq);
    row.dataset.at = line.at;
    if (line.id) row.dataset.id = line.id;
    if (known) this.#confirm(known, line);
    this.#place(row, line.seq);
    return row;
  }

  /**
   * Shows a message of ours before the gateway has it.
   * @param {Message} message
   * @returns {HTMLElement}
   */
  showOwn(message) {
    const known = this.#byId(message.id);
    if (known) return known;
    const row = this.#row("citizen", message.text, new Date().toISOString());
    row.dataset.id = message.id;
    this.root.append(row);
    this.#dress(row);
    return row;
  }

  /**
   * @param {Message} message
   * @param {Delivery} delivery
   */
  setDelivery(message, delivery) {
    const row = this.#byId(message.id);
    if (!row) return;
    row.querySelector(".state, .retry")?.remove();
    if (row.dataset.seq || delivery === "sent") return;
    row.append(delivery === "sending" ? this.#sending() : this.#retry(message));
  }

  /**
   * Takes back a message the gateway will never accept.
   * @param {string} id
   */
  remove(id) {
    this.#byId(id)?.remove();
  }

  /**
   * True when the gateway has stored the message of that id.
   * @param {string} id
   */
  isStored(id) {
    return Boolean(this.#byId(id)?.dataset.seq);
  }

  /**
   * True when the message of that id is on the page, stored or on its way.
   * @param {string} id
   */
  isShown(id) {
    return this.#byId(id) !== null;
  }

  /** True when the citizen has said something, stored or not. */
  hasQuestion() {
    return this.root.querySelector('[data-author="citizen"]') !== null;
  }

  /**
   * @param {string} author
   * @param {string} text
   * @param {string} at
   * @param {string} [signed] which agent speaks
   */
  #row(author, text, at, signed = "") {
    const row = made("div", "row");
    row.dataset.author = author;
    row.dataset.at = at;
    const named = signed || this.words.authors[/** @type {import("./lines.js").Author} */ (author)];
    const who = made("p", "who", named ?? author);
    const bubble = made("div", "bubble");
    bubble.append(...this.#paragraphs(text, author));
    row.append(who, bubble);
    return row;
  }

  /**
   * @param {string} text
   * @param {string} author
   */
  #paragraphs(text, author) {
    if (author === "citizen") return [made("p", "", text)];
    const lines = text.split("\n");
    const body = lines.filter((line) => !this.isSource.test(line.trim())).join("\n").trim();
    const sources = lines.filter((line) => this.isSource.test(line.trim())).map((line) => line.trim());
    return [...(body ? [made("p", "", body)] : []), ...sources.map((source) => made("p", "source", source))];
  }

  /**
   * @param {HTMLElement} row
   * @param {Line} line
   */
  #confirm(row, line) {
    row.querySelector(".state, .retry")?.remove();
    // What is stored may be shorter than what was typed: a number that is nobody's business is masked.
    const paragraph = row.querySelector(".bubble p");
    if (paragraph && paragraph.textContent !== line.text) paragraph.textContent = line.text;
  }

  /**
   * @param {HTMLElement} row
   * @param {number} seq
   */
  #place(row, seq) {
    /** @type {Element | null} */
    let next = null;
    let other = this.root.lastElementChild;
    while (other && (other === row || numberOf(other) > seq)) {
      if (other !== row) next = other;
      other = other.previousElementSibling;
    }
    // A row that stays where it is must not be moved: moving makes screen readers read it again.
    if (!row.isConnected || row.nextElementSibling !== next) this.root.insertBefore(row, next);
    this.#dress(row);
  }

  /** @param {HTMLElement} row */
  #dress(row) {
    const before = /** @type {HTMLElement | null} */ (row.previousElementSibling);
    const at = row.dataset.at ?? "";
    const paused = !before || Date.parse(at) - Date.parse(before.dataset.at ?? "") > PAUSE_MS;
    row.querySelector(".when")?.remove();
    const shown = paused ? timeShown(at, this.words.yesterday) : "";
    if (shown) row.prepend(made("p", "when", shown));
    const isSame = !paused && before?.dataset.author === row.dataset.author;
    row.querySelector(".who")?.classList.toggle("visually-hidden", isSame || row.dataset.author === "citizen");
  }

  #sending() {
    return made("p", "state", this.words.sending);
  }

  /** @param {Message} message */
  #retry(message) {
    const button = /** @type {HTMLButtonElement} */ (made("button", "retry", this.words.failed));
    button.type = "button";
    button.addEventListener("click", () => this.resend(message));
    return button;
  }

  /**
   * @param {string} id
   * @returns {HTMLElement | null}
   */
  #byId(id) {
    return this.root.querySelector(`[data-id="${CSS.escape(id)}"]`);
  }
}

/** @param {Element} row */
function numberOf(row) {
  return Number(/** @type {HTMLElement} */ (row).dataset.seq ?? Infinity);
}

/**
 * @param {string} tag
 * @param {string} className
 * @param {string} [text]
 * @returns {HTMLElement}
 */
export function made(tag, className, text = "") {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text) node.textContent = text;
  return node;
}
