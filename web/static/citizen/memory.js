// @ts-check
/**
 * What the browser remembers. Texts are kept for this tab only, as others may use the device after it;
 * the type size is kept for good. A browser without storage forgets, and nothing else changes.
 */

/** @typedef {import("./lines.js").Message} Message */

const DRAFT = "chat.draft";
const PENDING = "chat.pending";
const LARGE = "chat.large";

/**
 * @param {"sessionStorage" | "localStorage"} kind
 * @param {string} key
 * @returns {string}
 */
function read(kind, key) {
  try {
    return window[kind].getItem(key) ?? "";
  } catch {
    return "";
  }
}

/**
 * @param {"sessionStorage" | "localStorage"} kind
 * @param {string} key
 * @param {string} value
 */
function write(kind, key, value) {
  try {
    if (value === "") window[kind].removeItem(key);
    else window[kind].setItem(key, value);
  } catch {
    // Forgotten; see above.
  }
}

/** What is written and not sent. */
export const draft = {
  read: () => read("sessionStorage", DRAFT),
  /** @param {string} text */
  write: (text) => write("sessionStorage", DRAFT, text),
};

/** What is sent and not known to have arrived, oldest first. */
export const pending = {
  /** @returns {Message[]} */
  all() {
    try {
      return JSON.parse(read("sessionStorage", PENDING) || "[]");
    } catch {
      return [];
    }
  },
  /** @param {Message} message */
  add(message) {
    const others = pending.all().filter((other) => other.id !== message.id);
    write("sessionStorage", PENDING, JSON.stringify([...others, message]));
  },
  /** @param {string} id */
  remove(id) {
    const others = pending.all().filter((other) => other.id !== id);
    write("sessionStorage", PENDING, others.length > 0 ? JSON.stringify(others) : "");
  },
};

/** Whether large type was chosen. */
export const large = {
  read: () => read("localStorage", LARGE) === "1",
  /** @param {boolean} on */
  write: (on) => write("localStorage", LARGE, on ? "1" : ""),
};
