// @ts-check
/** The box people write in: grows with its text, keeps a draft, sends on Enter, leaves input methods alone. */

import { element, filled } from "./lines.js";
import { draft } from "./memory.js";

/** @typedef {import("./lines.js").Words} Words */

const COUNT_FROM = 0.8;
const IME_KEY_CODE = 229;

export class Composer {
  /**
   * @param {Words} words
   * @param {(text: string) => void} send
   */
  constructor(words, send) {
    this.words = words;
    this.send = send;
    this.form = /** @type {HTMLFormElement} */ (element("composer"));
    this.field = /** @type {HTMLTextAreaElement} */ (element("text"));
    this.button = element("send");
    this.counter = element("counter");
    this.error = element("error");
    this.field.value = draft.read();
    this.field.addEventListener("input", () => this.#changed());
    this.field.addEventListener("keydown", (event) => this.#key(event));
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    this.#changed();
  }

  /** @param {string} sentence empty: nothing is wrong */
  complain(sentence) {
    this.error.textContent = sentence;
    this.field.toggleAttribute("aria-invalid", sentence !== "");
  }

  /**
   * Gives text back to the person, before what has been written meanwhile.
   * @param {string} text
   */
  giveBack(text) {
    const written = this.field.value.trim();
    this.field.value = written === "" ? text : `${text}\n${written}`;
    this.#changed();
  }

  focus() {
    this.field.focus();
  }

  #submit() {
    const text = this.field.value.trim();
    if (text === "") return this.focus();
    const count = Array.from(text).length;
    if (count > this.words.max) {
      this.complain(filled(this.words.too_long, { max: this.words.max, count }));
      return this.focus();
    }
    this.field.value = "";
    this.#changed();
    this.send(text);
    this.focus();
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    // While an input method is open, Enter picks a word. Safari says so by the key code alone.
    const isComposing = event.isComposing || event.keyCode === IME_KEY_CODE;
    if (event.key !== "Enter" || event.shiftKey || isComposing) return;
    event.preventDefault();
    this.#submit();
  }

  #changed() {
    const { value } = this.field;
    draft.write(value);
    this.complain("");
    this.button.setAttribute("aria-disabled", String(value.trim() === ""));
    this.#count(Array.from(value.trim()).length);
    this.field.style.height = "auto";
    if (value !== "") {
      const border = this.field.offsetHeight - this.field.clientHeight;
      this.field.style.height = `${this.field.scrollHeight + border}px`;
    }
  }

  /** @param {number} count */
  #count(count) {
    this.counter.hidden = count < this.words.max * COUNT_FROM;
    this.counter.dataset.over = String(count > this.words.max);
    this.counter.textContent = filled(this.words.counter, { count, max: this.words.max });
  }
}
