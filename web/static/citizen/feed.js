// @ts-check
/** The conversation as it grows: history first, then the event stream, again and again after every break. */

import { Expired, history } from "./api.js";

/** @typedef {import("./lines.js").Line} Line */
/** @typedef {import("./lines.js").TypingState} TypingState */
/** @typedef {"live" | "broken" | "expired"} FeedState */

const BACKOFF_MS = [1000, 2000, 4000, 8000, 15_000, 30_000];
const SILENCE_MS = 8000;
const LONG_HIDDEN_MS = 20_000;

export class Feed {
  #last = 0;
  #attempt = 0;
  #round = 0;
  #hiddenAt = 0;
  /** @type {EventSource | null} */
  #source = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #retry;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #silence;

  /**
   * @param {{
   *   lines: (lines: Line[]) => void, typing: (state: TypingState) => void, state: (state: FeedState) => void,
   * }} on
   */
  constructor(on) {
    this.on = on;
    window.addEventListener("online", () => this.connect());
    window.addEventListener("offline", () => this.#lost());
    document.addEventListener("visibilitychange", () => this.#seen());
  }

  /** Reads what is new and opens the stream. A round that was overtaken by a later one does nothing more. */
  async connect() {
    const round = ++this.#round;
    this.#close();
    try {
      const lines = await history(this.#last);
      if (round !== this.#round) return;
      this.#take(lines);
      this.#open();
    } catch (error) {
      if (round !== this.#round) return;
      if (error instanceof Expired) this.on.state("expired");
      else this.#lost();
    }
  }

  /** Reads again unless something arrives soon: a phone can hold a dead connection for minutes. */
  expectLine() {
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => this.connect(), SILENCE_MS);
  }

  #open() {
    const source = new EventSource(`/chat/events?after=${this.#last}`);
    this.#source = source;
    source.addEventListener("open", () => {
      this.#attempt = 0;
      this.on.state("live");
    });
    source.addEventListener("line", (event) => this.#take([JSON.parse(event.data)]));
    source.addEventListener("typing", (event) => this.on.typing(JSON.parse(event.data)));
    source.addEventListener("error", () => {
      if (source === this.#source) this.#lost();
    });
  }

  /** @param {Line[]} lines */
  #take(lines) {
    const fresh = lines.filter((line) => line.seq > this.#last);
    if (fresh.length > 0) {
      this.#last = fresh[fresh.length - 1].seq;
      clearTimeout(this.#silence);
    }
    this.on.lines(fresh);
  }

  #lost() {
    this.#round += 1;
    this.#close();
    this.on.state("broken");
    const base = BACKOFF_MS[Math.min(this.#attempt, BACKOFF_MS.length - 1)];
    this.#attempt += 1;
    // Spread out, so that a restarted gateway is not met by everybody in the same second.
    this.#retry = setTimeout(() => this.connect(), base * (0.8 + 0.4 * Math.random()));
  }

  #close() {
    clearTimeout(this.#retry);
    clearTimeout(this.#silence);
    this.#source?.close();
    this.#source = null;
  }

  #seen() {
    if (document.hidden) this.#hiddenAt = Date.now();
    else if (this.#source === null || Date.now() - this.#hiddenAt > LONG_HIDDEN_MS) this.connect();
  }
}
