// @ts-check
/**
 * The desk's one stream of events, opened again after every break from where it was.
 *
 * @typedef {{kind: string, conversation: string, handover: number | null, staff: string, data: any}} DeskEvent
 */

import { fragment } from "./api.js";
import { setServerTime } from "./ticking.js";

const BACKOFF_MS = [500, 1000, 2000, 4000, 8000, 15_000];
const LONG_HIDDEN_MS = 60_000;

export class Feed {
  #attempt = 0;
  #hiddenAt = 0;
  /** @type {EventSource | null} */
  #source = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #retry;

  /**
   * @param {{path: () => string, read: () => number | undefined, write: (seq: number) => void}} place
   * @param {{
   *   event: (event: DeskEvent) => void, anew: () => void, state: (state: "live" | "broken" | "expired") => void,
   * }} on `anew`: everything has to be read again, as something may have been missed
   */
  constructor(place, on) {
    this.place = place;
    this.on = on;
    window.addEventListener("online", () => this.connect());
    window.addEventListener("offline", () => this.#lost());
    document.addEventListener("visibilitychange", () => this.#seen());
  }

  connect() {
    this.#close();
    const path = new URL(this.place.path(), location.href);
    const after = this.place.read();
    if (after !== undefined) path.searchParams.set("after", String(after));
    const source = new EventSource(path);
    this.#source = source;
    source.addEventListener("hello", (event) => {
      setServerTime(JSON.parse(event.data).now);
      this.#attempt = 0;
      this.#heard(event);
      this.on.state("live");
      // What happened between reading the page and opening the stream is in nobody's feed.
      this.on.anew();
    });
    source.addEventListener("behind", (event) => {
      this.#heard(event);
      this.on.anew();
    });
    source.addEventListener("desk", (event) => {
      this.#heard(event);
      this.on.event(JSON.parse(event.data));
    });
    source.addEventListener("error", () => {
      if (source === this.#source) this.#lost();
    });
  }

  /** @param {MessageEvent} event */
  #heard(event) {
    if (/^\d+$/.test(event.lastEventId)) this.place.write(Number(event.lastEventId));
  }

  async #lost() {
    this.#close();
    this.on.state("broken");
    const base = BACKOFF_MS[Math.min(this.#attempt, BACKOFF_MS.length - 1)];
    this.#attempt += 1;
    // Spread out, so that a restarted gateway is not met by everybody in the same second.
    this.#retry = setTimeout(() => this.connect(), base * (0.8 + 0.4 * Math.random()));
    // An event stream does not say why it was refused; a page does.
    if (this.#attempt > 1 && (await fragment("/desk/state")).kind === "expired") this.on.state("expired");
  }

  #close() {
    clearTimeout(this.#retry);
    this.#source?.close();
    this.#source = null;
  }

  #seen() {
    if (document.hidden) this.#hiddenAt = Date.now();
    else if (this.#source === null || Date.now() - this.#hiddenAt > LONG_HIDDEN_MS) this.connect();
  }
}
