// @ts-check
/** Says that an answer is being looked for or written, and when that takes unusually long. */

import { element } from "./lines.js";

/** @typedef {import("./lines.js").Words} Words */
/** @typedef {import("./lines.js").TypingState} TypingState */

const SLOW_MS = 12_000;
const STALE_MS = 60_000;

export class Typing {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #slow;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #stale;

  /**
   * @param {Words} words
   * @param {() => void} resized
   */
  constructor(words, resized) {
    this.words = words;
    this.resized = resized;
    this.box = element("typing");
    this.word = element("typing-word");
    this.live = element("typing-live");
    this.late = element("slow");
  }

  /** @param {TypingState} state */
  set(state) {
    this.clear();
    if (!state.on) return;
    const sentence = this.words.typing[state.author] ?? this.words.typing.bot;
    this.word.textContent = sentence;
    this.live.textContent = sentence;
    this.box.hidden = false;
    if (state.author === "bot") this.#slow = setTimeout(() => this.#say(this.words.slow), SLOW_MS);
    // Whoever was typing may have gone without saying so.
    this.#stale = setTimeout(() => this.clear(), STALE_MS);
    this.resized();
  }

  clear() {
    clearTimeout(this.#slow);
    clearTimeout(this.#stale);
    this.box.hidden = true;
    this.live.textContent = "";
    this.#say("");
  }

  /** @param {string} sentence */
  #say(sentence) {
    this.late.textContent = sentence;
    this.resized();
  }
}
