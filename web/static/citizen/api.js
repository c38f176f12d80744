// @ts-check
/** Calls to the gateway. Every call has a time limit, and its outcome is a value. */

/** @typedef {import("./lines.js").Line} Line */
/** @typedef {import("./lines.js").Message} Message */
/** @typedef {{kind: "ok"} | {kind: "refused" | "later" | "expired", sentence: string} | {kind: "unreachable"}} Outcome */

const TIME_LIMIT_MS = 10_000;

/** The visitor's cookie is gone or too old: only loading the page again helps. */
export class Expired extends Error {}

/**
 * Hands a message over. The gateway stores one id once, so sending again does no harm.
 * @param {Message} message
 * @returns {Promise<Outcome>}
 */
export async function sendMessage(message) {
  return post("/chat/messages", message);
}

/**
 * Says that a new visitor has come.
 * @returns {Promise<Outcome>}
 */
export async function start() {
  return post("/chat/start", {});
}

/**
 * Lines beyond `after`, oldest first.
 * @param {number} after
 * @returns {Promise<Line[]>}
 * @throws {Expired} and any error for an unreachable gateway
 */
export async function history(after) {
  const response = await limited(`/chat/history?after=${after}`, { method: "GET" });
  if (response.status === 401) throw new Expired();
  if (!response.ok) throw new Error(`history answered ${response.status}`);
  return (await response.json()).lines;
}

/**
 * @param {string} path
 * @param {object} body
 * @returns {Promise<Outcome>}
 */
async function post(path, body) {
  try {
    const response = await limited(path, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
    return response.ok ? { kind: "ok" } : await refusal(response);
  } catch {
    return { kind: "unreachable" };
  }
}

/**
 * @param {Response} response
 * @returns {Promise<Outcome>}
 */
async function refusal(response) {
  const sentence = await response.json().then((said) => String(said.message || ""), () => "");
  if (response.status === 401) return { kind: "expired", sentence };
  if (response.status === 429) return { kind: "later", sentence };
  if (response.status >= 500) return sentence ? { kind: "later", sentence } : { kind: "unreachable" };
  return { kind: "refused", sentence };
}

/**
 * @param {string} path
 * @param {RequestInit} options
 * @returns {Promise<Response>}
 */
async function limited(path, options) {
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), TIME_LIMIT_MS);
  try {
    return await fetch(path, { credentials: "same-origin", signal: stop.signal, ...options });
  } finally {
    clearTimeout(timer);
  }
}
