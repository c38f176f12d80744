// @ts-check
/**
 * Lines on their way: kept until the gateway has them, sent in the order they were written, and sent again under the
 * same id after a break or a reload. The gateway stores one id once.
 *
 * @typedef {import("./memory.js").Message} Message
 * @typedef {import("./api.js").Refused} Refused
 */

import { post } from "./api.js";
import { pending } from "./memory.js";

const BACKOFF_MS = [1500, 4000, 10_000, 20_000];

export class Outbox {
  /** @type {Map<string, Promise<void>>} */
  #queues = new Map();
  #attempt = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #retry;

  /**
   * @param {{
   *   sending: (message: Message) => void,
   *   arrived: (message: Message, data: {seq: number, html: string}) => void,
   *   waiting: (message: Message) => void,
   *   refused: (message: Message, refused: Refused) => void,
   *   expired: () => void,
   * }} on
   */
  constructor(on) {
    this.on = on;
  }

  /** @param {Message} message */
  add(message) {
    pending.add(message);
    this.#enqueue(message);
  }

  /** Everything that has not arrived is sent again. */
  resume() {
    clearTimeout(this.#retry);
    pending.all().forEach((message) => this.#enqueue(message));
  }

  /** @param {Message} message */
  #enqueue(message) {
    const before = this.#queues.get(message.conversation) ?? Promise.resolve();
    this.#queues.set(message.conversation, before.then(() => this.#send(message)));
  }

  /** @param {Message} message */
  async #send(message) {
    // Sent meanwhile by an attempt before this one, or here while an earlier line still waits: order counts.
    const waiting = pending.all().filter((other) => other.conversation === message.conversation);
    if (waiting[0]?.id !== message.id) {
      if (waiting.some((other) => other.id === message.id)) this.on.waiting(message);
      return;
    }
    this.on.sending(message);
    const answer = await post(`/desk/c/${encodeURIComponent(message.conversation)}/lines`, {
      client_id: message.id,
      text: message.text,
    });
    if (answer.kind === "ok") {
      this.#attempt = 0;
      pending.remove(message.id);
      this.on.arrived(message, answer.data);
    } else if (answer.kind === "refused") {
      pending.remove(message.id);
      this.on.refused(message, answer);
    } else {
      this.on.waiting(message);
      if (answer.kind === "expired") this.on.expired();
      else this.#later();
    }
  }

  #later() {
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => this.resume(), BACKOFF_MS[Math.min(this.#attempt, BACKOFF_MS.length - 1)]);
    this.#attempt += 1;
  }
}
