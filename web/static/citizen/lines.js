// @ts-check
/**
 * What the gateway sends, and the texts the page was served with.
 *
 * @typedef {{label: string, text: string, url?: string}} Choice
 * @typedef {"citizen" | "bot" | "agent" | "system"} Author
 * @typedef {{seq: number, author: Author, text: string, at: string, choices: Choice[], id: string, signed?: string}} Line
 * @typedef {{on: boolean, author: string}} TypingState
 * @typedef {{id: string, text: string}} Message
 * @typedef {{
 *   agent_text: string, authors: Record<Author, string>, source_prefixes: string[], choices_label: string,
 *   sending: string, failed: string, typing: Record<string, string>, slow: string, reconnecting: string,
 *   reconnected: string, expired: string, counter: string, too_long: string, yesterday: string, max: number,
 * }} Words
 */

/**
 * The texts in the page's own JSON block.
 * @returns {Words}
 */
export function readWords() {
  return JSON.parse(element("wording").textContent || "{}");
}

/**
 * The element of that id; the page is broken without it, so it is an error.
 * @param {string} id
 * @returns {HTMLElement}
 */
export function element(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`#${id} is missing`);
  return found;
}

/**
 * `template` with `{name}` replaced by the value of that name.
 * @param {string} template
 * @param {Record<string, string | number>} values
 * @returns {string}
 */
export function filled(template, values) {
  return template.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
}

/**
 * A random UUID. `crypto.randomUUID` is missing where a centre's network serves the page without https.
 * @returns {string}
 */
export function newId() {
  if (typeof crypto.randomUUID === "function") return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}
