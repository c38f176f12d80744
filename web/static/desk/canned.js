// @ts-check
/** Ready sentences: typing `/` offers them, what follows it narrows them down. */

import { canned, words } from "./words.js";

/** @typedef {import("./words.js").Canned} Canned */

const TYPED = /(?:^|[^\w/:.])\/([^\s/]{0,12})$/u;

export class CannedList {
  /** @type {Canned[]} */
  #shown = [];
  #active = 0;

  /**
   * @param {HTMLTextAreaElement} field
   * @param {HTMLElement} list
   */
  constructor(field, list) {
    this.field = field;
    this.list = list;
    field.addEventListener("input", () => this.#look());
    field.addEventListener("blur", () => this.close());
    list.addEventListener("mousedown", (event) => {
      event.preventDefault();
      const item = event.target instanceof Element ? event.target.closest("li") : null;
      if (item instanceof HTMLElement && item.dataset.place) this.#insert(Number(item.dataset.place));
    });
  }

  get isOpen() {
    return !this.list.hidden;
  }

  close() {
    this.list.hidden = true;
    this.field.removeAttribute("aria-activedescendant");
  }

  /**
   * @param {KeyboardEvent} event
   * @returns {boolean} true when the key was meant for the list
   */
  key(event) {
    if (!this.isOpen) return false;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) this.#point((this.#active + step + this.#shown.length) % this.#shown.length);
    else if (event.key === "Enter" || event.key === "Tab") this.#insert(this.#active);
    else if (event.key === "Escape") this.close();
    else return false;
    event.preventDefault();
    event.stopPropagation();
    return true;
  }

  #typed() {
    return TYPED.exec(this.field.value.slice(0, this.field.selectionStart))?.[1];
  }

  #look() {
    const typed = this.#typed()?.toLowerCase();
    if (typed === undefined) return this.close();
    this.#shown = canned.filter(({ shortcut, title }) => shortcut.startsWith(typed) || title.includes(typed));
    this.list.replaceChildren(...(this.#shown.length > 0 ? this.#shown.map(item) : [nothing()]));
    this.list.hidden = false;
    if (this.#shown.length > 0) this.#point(0);
  }

  /** @param {number} place */
  #point(place) {
    this.#active = place;
    Array.from(this.list.children).forEach((node, at) => node.setAttribute("aria-selected", String(at === place)));
    const pointed = this.list.children[place];
    this.field.setAttribute("aria-activedescendant", pointed.id);
    pointed.scrollIntoView({ block: "nearest" });
  }

  /** @param {number} place */
  #insert(place) {
    const chosen = this.#shown[place];
    if (!chosen) return this.close();
    const end = this.field.selectionStart;
    const start = end - (this.#typed()?.length ?? 0) - 1;
    this.field.setRangeText(chosen.text, start, end, "end");
    this.close();
    this.field.dispatchEvent(new Event("input", { bubbles: true }));
  }
}

/**
 * @param {Canned} each
 * @param {number} place
 */
function item(each, place) {
  const node = document.createElement("li");
  node.id = `canned-${place}`;
  node.dataset.place = String(place);
  node.setAttribute("role", "option");
  for (const [kind, text] of Object.entries({ key: `/${each.shortcut}`, title: each.title, text: each.text })) {
    const part = document.createElement("span");
    part.className = `canned-${kind}`;
    part.textContent = text;
    node.append(part);
  }
  return node;
}

function nothing() {
  const node = document.createElement("li");
  node.setAttribute("role", "option");
  node.setAttribute("aria-disabled", "true");
  node.textContent = words.empty_canned;
  return node;
}
