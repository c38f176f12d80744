// @ts-check
/** The conversation's lines and notes in their order, each once, with days and channels marked where they change. */

const TOGETHER_MS = 3 * 60 * 1000;

export class Transcript {
  /** @param {HTMLElement} log */
  constructor(log) {
    this.log = log;
    // Notes come in one piece after the lines; among them they belong where they were written.
    for (const note of this.#all(".note")) this.#place(note);
    this.arrange();
  }

  /** The number of the newest line; 0 where there is none. */
  get last() {
    const lines = this.#all(".line");
    return Number(lines[lines.length - 1]?.dataset.seq ?? 0);
  }

  /** The number of the newest note. */
  get lastNote() {
    return Math.max(0, ...this.#all(".note").map((note) => Number(note.dataset.note)));
  }

  /**
   * Lines and notes of a fragment are in their place; one that is there already is replaced.
   * @param {HTMLElement} body
   * @returns {HTMLElement[]} those that are new
   */
  add(body) {
    const nodes = /** @type {HTMLElement[]} */ (Array.from(body.querySelectorAll(":scope > .line, :scope > .note")));
    const fresh = nodes.filter((node) => !this.#replaced(node));
    fresh.forEach((node) => this.#place(node));
    this.arrange();
    return fresh;
  }

  /** @param {HTMLElement} body an earlier page, which goes before everything */
  prepend(body) {
    this.log.prepend(...body.childNodes);
    this.arrange();
  }

  /** Days, channels and runs of one author are marked anew. */
  arrange() {
    /** @type {HTMLElement | undefined} */
    let before;
    for (const node of this.#all(".line, .note")) {
      const { day, channel, channelName, author, by } = node.dataset;
      const isNewDay = day !== before?.dataset.day;
      const isLine = channel !== undefined;
      const lastChannel = this.#lastChannel(node);
      const isNewChannel = isLine && lastChannel !== undefined && lastChannel !== channel;
      const parts = [isNewDay ? day : "", isNewChannel || (isNewDay && isLine) ? channelName : ""];
      setOrDelete(node, "break", parts.filter(Boolean).join(" · "));
      const isRun = author !== undefined && before?.dataset.author === author && before?.dataset.by === by;
      const isClose = Date.parse(node.dataset.at ?? "") - Date.parse(before?.dataset.at ?? "") < TOGETHER_MS;
      node.classList.toggle("follows", isRun && isClose && !node.dataset.break);
      before = node;
    }
  }

  /** @param {...string} authors @returns {number} of their newest line; 0 where there is none */
  lastOf(...authors) {
    const lines = this.#all(".line").filter((line) => authors.includes(line.dataset.author ?? ""));
    return Number(lines[lines.length - 1]?.dataset.seq ?? 0);
  }

  /** @param {string} id what the page called its line @returns {boolean} */
  has(id) {
    return this.#all(".line").some((line) => line.dataset.message === id);
  }

  /** @param {number} seq */
  holds(seq) {
    return this.log.querySelector(`.line[data-seq="${seq}"]`) !== null;
  }

  /** @param {HTMLElement} node */
  #lastChannel(node) {
    let before = node.previousElementSibling;
    while (before instanceof HTMLElement && before.dataset.channel === undefined) before = before.previousElementSibling;
    return before instanceof HTMLElement ? before.dataset.channel : undefined;
  }

  /** @param {HTMLElement} node */
  #replaced(node) {
    const { seq, note } = node.dataset;
    const same = seq ? this.log.querySelector(`.line[data-seq="${seq}"]`) : this.log.querySelector(`[data-note="${note}"]`);
    same?.replaceWith(node);
    return same !== null;
  }

  /** @param {HTMLElement} node */
  #place(node) {
    const nodes = this.#all(".line, .note").filter((other) => other !== node);
    const goesBefore = (/** @type {HTMLElement} */ other) =>
      node.dataset.seq && other.dataset.seq
        ? Number(other.dataset.seq) < Number(node.dataset.seq)
        : Date.parse(other.dataset.at ?? "") <= Date.parse(node.dataset.at ?? "");
    // From the end: what is new is nearly always the newest.
    let place = nodes.length - 1;
    while (place >= 0 && !goesBefore(nodes[place])) place -= 1;
    if (place >= 0) nodes[place].after(node);
    else if (nodes.length > 0) nodes[0].before(node);
    else this.log.append(node);
  }

  /** @param {string} selector @returns {HTMLElement[]} */
  #all(selector) {
    return Array.from(this.log.querySelectorAll(selector));
  }
}

/**
 * @param {HTMLElement} node
 * @param {string} name
 * @param {string} value
 */
function setOrDelete(node, name, value) {
  if (value) node.dataset[name] = value;
  else delete node.dataset[name];
}
