// @ts-check
/** A list to choose from by typing: Chinese characters, pinyin or its first letters (ARIA combobox pattern). */

import { words } from "./words.js";

export class Combobox {
  /** @param {HTMLElement} root holds an input, a hidden input for the value, and a list of options */
  constructor(root) {
    this.field = /** @type {HTMLInputElement} */ (root.querySelector('[role="combobox"]'));
    this.value = /** @type {HTMLInputElement} */ (root.querySelector('input[type="hidden"]'));
    this.list = /** @type {HTMLElement} */ (root.querySelector('[role="listbox"]'));
    this.options = /** @type {HTMLElement[]} */ (Array.from(this.list.querySelectorAll('[role="option"]')));
    this.active = -1;
    const chosen = this.options.find((option) => option.dataset.value === this.value.value);
    if (chosen) this.field.value = chosen.textContent ?? "";
    this.field.addEventListener("input", () => {
      this.value.value = "";
      this.#open(this.field.value);
    });
    this.field.addEventListener("focus", () => this.field.select());
    this.field.addEventListener("click", () => this.#open(""));
    this.field.addEventListener("keydown", (event) => this.#key(event));
    this.field.addEventListener("blur", () => this.#leave());
    this.list.addEventListener("mousedown", (event) => {
      event.preventDefault();
      const option = event.target instanceof Element ? event.target.closest('[role="option"]') : null;
      if (option instanceof HTMLElement) this.#choose(option);
    });
  }

  get shown() {
    return this.options.filter((option) => !option.hidden);
  }

  /** @param {string} typed */
  #open(typed) {
    const wanted = typed.trim().toLowerCase();
    for (const option of this.options) {
      const isFound = (option.textContent ?? "").includes(wanted) || (option.dataset.keys ?? "").includes(wanted);
      option.hidden = wanted !== "" && !isFound;
    }
    this.field.setCustomValidity(this.shown.length === 0 ? words.no_match : "");
    this.list.hidden = this.shown.length === 0;
    this.field.setAttribute("aria-expanded", String(!this.list.hidden));
    this.#point(wanted === "" ? -1 : 0);
  }

  #close() {
    this.list.hidden = true;
    this.field.setAttribute("aria-expanded", "false");
    this.#point(-1);
  }

  /** @param {number} place among the options that are shown */
  #point(place) {
    this.active = place;
    const pointed = this.shown[place];
    for (const option of this.options) option.classList.toggle("pointed", option === pointed);
    if (pointed) {
      this.field.setAttribute("aria-activedescendant", pointed.id);
      pointed.scrollIntoView({ block: "nearest" });
    } else {
      this.field.removeAttribute("aria-activedescendant");
    }
  }

  /** @param {HTMLElement} option */
  #choose(option) {
    this.field.value = option.textContent ?? "";
    this.value.value = option.dataset.value ?? "";
    this.field.setCustomValidity("");
    for (const other of this.options) other.setAttribute("aria-selected", String(other === option));
    this.#close();
  }

  /** What was typed in full is chosen. */
  #leave() {
    const same = this.options.find((option) => option.textContent === this.field.value.trim());
    if (same) this.#choose(same);
    else this.#close();
    this.field.setCustomValidity(this.value.value === "" ? words.no_match : "");
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.isComposing) return;
    const isOpen = !this.list.hidden;
    const { length } = this.shown;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (!isOpen) return this.#open("");
      this.#point((this.active + (event.key === "ArrowDown" ? 1 : -1) + length) % length);
    } else if (event.key === "Enter" && isOpen) {
      event.preventDefault();
      if (this.shown[this.active]) this.#choose(this.shown[this.active]);
    } else if (event.key === "Escape" && isOpen) {
      event.preventDefault();
      event.stopPropagation();
      this.#close();
    }
  }
}
