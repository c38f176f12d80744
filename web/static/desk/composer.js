// @ts-check
/** The box an agent writes in: drafts, ready sentences, suggestions, what the channel takes, and the look before sending. */

import { post } from "./api.js";
import { CannedList } from "./canned.js";
import { drafts, sendMode } from "./memory.js";
import { announce, toast } from "./notices.js";
import { element, filled, words } from "./words.js";

const CHECK_MS = 400;
const TYPING_EVERY_MS = 4000;
const TYPING_ENDS_MS = 6000;
const IME_KEY_CODE = 229;

export class Composer {
  #typingAt = 0;
  #lastCheck = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #checkTimer;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #idleTimer;

  /**
   * @param {{conversation: string, limit: number, send: (text: string) => void}} given
   */
  constructor({ conversation, limit, send }) {
    this.conversation = conversation;
    this.limit = limit;
    this.send = send;
    this.field = /** @type {HTMLTextAreaElement} */ (element("text"));
    this.mode = /** @type {HTMLSelectElement} */ (element("send-mode"));
    this.canned = new CannedList(this.field, element("canned"));
    this.field.value = drafts.read(conversation);
    this.mode.value = sendMode.read();
    this.field.addEventListener("input", () => this.#changed());
    this.field.addEventListener("keydown", (event) => this.#key(event));
    this.field.addEventListener("paste", (event) => this.#pasted(event));
    this.field.addEventListener("blur", () => this.#stopTyping());
    this.mode.addEventListener("change", () => {
      sendMode.write(this.mode.value);
      this.field.focus();
    });
    element("composer").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    if (this.field.value !== "") this.#check();
    this.#count({ characters: Array.from(this.field.value).length, limit, parts: 0 });
  }

  focus() {
    this.field.focus();
  }

  /**
   * What stands in the way of the text; with `masked` the text that could be sent instead.
   * @param {string} sentence empty: nothing is wrong
   * @param {string} [masked]
   */
  complain(sentence, masked = "") {
    const problem = element("composer-problem");
    problem.replaceChildren(sentence);
    problem.hidden = sentence === "";
    this.field.toggleAttribute("aria-invalid", sentence !== "");
    if (masked === "") return;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "plain small";
    button.textContent = words.use_masked;
    button.addEventListener("click", () => this.replace(masked, words.masked_inserted));
    problem.append(button);
  }

  /**
   * Gives text back to the agent, before what has been written meanwhile.
   * @param {string} text
   */
  giveBack(text) {
    const written = this.field.value.trim();
    this.#write(written === "" ? text : `${text}\n${written}`);
  }

  /**
   * @param {string} text
   * @param {string} [said] what is read out about it
   */
  replace(text, said = "") {
    this.#write(text);
    this.complain("");
    this.focus();
    if (said) announce(said);
  }

  /** @param {string} text put where the cursor is */
  insert(text) {
    const { selectionStart, selectionEnd, value } = this.field;
    const isAtEnd = selectionStart === value.length && value.trim() !== "" && !value.endsWith("\n");
    this.field.setRangeText(isAtEnd ? `\n${text}` : text, selectionStart, selectionEnd, "end");
    this.#changed();
    this.focus();
    announce(words.suggestion_inserted);
  }

  /** @param {string} text */
  #write(text) {
    this.field.value = text;
    this.#changed();
  }

  #submit() {
    const text = this.field.value.trim();
    const count = Array.from(text).length;
    if (text === "") return this.focus();
    if (count > this.limit) return this.complain(filled(words.too_long, { limit: this.limit, count }));
    clearTimeout(this.#checkTimer);
    this.#lastCheck += 1;
    // On its way first: only then may the draft be forgotten.
    this.send(text);
    this.#write("");
    this.complain("");
    this.#stopTyping();
    this.focus();
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    // While an input method is open, Enter picks a word. Safari says so by the key code alone.
    if (event.isComposing || event.keyCode === IME_KEY_CODE) return;
    if (this.canned.key(event) || event.key !== "Enter" || event.altKey) return;
    const isChord = event.ctrlKey || event.metaKey;
    if (isChord || (this.mode.value === "enter" && !event.shiftKey)) {
      event.preventDefault();
      this.#submit();
    }
  }

  /** @param {ClipboardEvent} event */
  #pasted(event) {
    const count = Array.from(event.clipboardData?.getData("text/plain") ?? "").length;
    if (count <= this.limit) return;
    event.preventDefault();
    const sentence = filled(words.paste_too_long, { count, limit: this.limit });
    this.complain(sentence);
    toast(sentence, "bad");
  }

  #changed() {
    const { value } = this.field;
    drafts.write(this.conversation, value);
    const hasText = value.trim() !== "";
    this.#count({ characters: Array.from(value.trim()).length, limit: this.limit, parts: 0 });
    clearTimeout(this.#checkTimer);
    if (hasText) this.#checkTimer = setTimeout(() => this.#check(), CHECK_MS);
    else this.complain("");
    if (hasText) this.#startTyping();
    else this.#stopTyping();
  }

  async #check() {
    const round = ++this.#lastCheck;
    const answer = await post(`/desk/c/${encodeURIComponent(this.conversation)}/check`, { text: this.field.value });
    // An answer about what was written before says nothing about what stands there now.
    if (round !== this.#lastCheck || answer.kind !== "ok" || !this.field.isConnected) return;
    this.limit = answer.data.limit;
    this.#count(answer.data);
    this.complain(answer.data.code === "empty" ? "" : answer.data.message, answer.data.masked);
  }

  /** @param {{characters: number, limit: number, parts: number}} counted */
  #count({ characters, limit, parts }) {
    const meter = element("composer-meter");
    const isSms = element("middle").dataset.channel === "sms";
    meter.textContent =
      isSms && parts > 0
        ? filled(words.sms_parts, { count: characters, parts })
        : filled(words.characters, { count: characters, limit });
    meter.dataset.over = String(characters > limit);
    meter.dataset.more = String(parts > 1);
  }

  #startTyping() {
    clearTimeout(this.#idleTimer);
    this.#idleTimer = setTimeout(() => this.#stopTyping(), TYPING_ENDS_MS);
    if (Date.now() - this.#typingAt < TYPING_EVERY_MS) return;
    this.#typingAt = Date.now();
    this.#tellTyping("1");
  }

  #stopTyping() {
    clearTimeout(this.#idleTimer);
    if (this.#typingAt === 0) return;
    this.#typingAt = 0;
    this.#tellTyping("0");
  }

  /** @param {string} on */
  #tellTyping(on) {
    post(`/desk/c/${encodeURIComponent(this.conversation)}/typing`, { on });
  }
}
