// @ts-check
/**
 * What the browser remembers for one member of staff: drafts, lines that have not arrived, what is unread. A browser
 * without storage forgets, and nothing else changes.
 *
 * @typedef {{id: string, conversation: string, text: string}} Message
 */

import { words } from "./words.js";

/** @param {string} key */
function named(key) {
  return `desk.${words.staff}.${key}`;
}

/**
 * @param {string} key
 * @returns {any} undefined where there is nothing
 */
function read(key) {
  try {
    return JSON.parse(localStorage.getItem(named(key)) ?? "null") ?? undefined;
  } catch {
    return undefined;
  }
}

/**
 * @param {string} key
 * @param {any} value undefined: forgotten
 */
function write(key, value) {
  try {
    if (value === undefined) localStorage.removeItem(named(key));
    else localStorage.setItem(named(key), JSON.stringify(value));
  } catch {
    // Forgotten; see above.
  }
}

/** What is written and not sent, per conversation. */
export const drafts = {
  /** @param {string} conversation @returns {string} */
  read: (conversation) => read(`draft.${conversation}`) ?? "",
  /** @param {string} conversation @param {string} text */
  write: (conversation, text) => write(`draft.${conversation}`, text === "" ? undefined : text),
};

/** What is sent and not known to have arrived, oldest first. */
export const pending = {
  /** @returns {Message[]} */
  all: () => read("pending") ?? [],
  /** @param {Message} message */
  add(message) {
    write("pending", [...pending.all().filter((other) => other.id !== message.id), message]);
  },
  /** @param {string} id */
  remove(id) {
    const others = pending.all().filter((other) => other.id !== id);
    write("pending", others.length > 0 ? others : undefined);
  },
};

/** How many lines of a conversation have not been looked at. */
export const unread = {
  /** @returns {Record<string, number>} */
  all: () => read("unread") ?? {},
  /** @param {string} conversation */
  more(conversation) {
    const counts = unread.all();
    write("unread", { ...counts, [conversation]: (counts[conversation] ?? 0) + 1 });
  },
  /** @param {(conversation: string) => boolean} isKept */
  keep(isKept) {
    write("unread", Object.fromEntries(Object.entries(unread.all()).filter(([id]) => isKept(id))));
  },
};

/** The number of the last event this browser has heard of. */
export const cursor = {
  /** @returns {number | undefined} */
  read: () => read("cursor"),
  /** @param {number} seq */
  write: (seq) => write("cursor", seq),
};

/** `enter` or `ctrl`: what sends a line. */
export const sendMode = {
  /** @returns {"enter" | "ctrl"} */
  read: () => (read("send") === "ctrl" ? "ctrl" : "enter"),
  /** @param {string} mode */
  write: (mode) => write("send", mode),
};

/** What is written into a form and not sent. */
export const forms = {
  /** @param {string} name @returns {Record<string, string>} */
  read: (name) => read(`form.${name}`) ?? {},
  /** @param {string} name @param {Record<string, string> | undefined} fields */
  write: (name, fields) => write(`form.${name}`, fields),
};
