// @ts-check
/**
 * Calls to the gateway. Every call has a time limit, and its outcome is a value.
 *
 * @typedef {{kind: "refused", code: string, message: string, masked: string}} Refused
 * @typedef {{kind: "unreachable", message: string} | {kind: "expired", message: string}} Lost
 */

import { words } from "./words.js";

const TIME_LIMIT_MS = 10_000;
const token = document.querySelector('meta[name="csrf-token"]')?.getAttribute("content") ?? "";

/**
 * The body of a fragment the gateway renders: everything a person wrote is escaped there.
 * @param {string} path
 * @param {AbortSignal} [signal] gives up earlier
 * @returns {Promise<{kind: "ok", body: HTMLElement} | Refused | Lost>}
 */
export async function fragment(path, signal) {
  const answer = await asked(path, { method: "GET" }, signal);
  return answer.kind === "ok" ? { kind: "ok", body: parsed(answer.text) } : answer;
}

/**
 * @param {string} path
 * @param {Record<string, string>} fields
 * @returns {Promise<{kind: "ok", data: any} | Refused | Lost>}
 */
export async function post(path, fields = {}) {
  const answer = await asked(path, { method: "POST", body: new URLSearchParams(fields) });
  return answer.kind === "ok" ? { kind: "ok", data: answer.text ? JSON.parse(answer.text) : {} } : answer;
}

/**
 * @param {string} html
 * @returns {HTMLElement}
 */
export function parsed(html) {
  return new DOMParser().parseFromString(html, "text/html").body;
}

/**
 * Why it was refused, from what the gateway answered.
 * @param {number} status
 * @param {string} text
 * @returns {Refused | Lost}
 */
export function refusal(status, text) {
  if (status === 401) return { kind: "expired", message: words.expired };
  let said = { code: "", message: "", masked: "" };
  try {
    said = JSON.parse(text);
  } catch {
    // Not an answer of ours: a proxy's page, for example.
  }
  if (status >= 500 || status === 429 || !said.message)
    return { kind: "unreachable", message: said.message || words.elsewhere };
  return { kind: "refused", code: said.code, message: said.message, masked: said.masked ?? "" };
}

/**
 * @param {string} path
 * @param {RequestInit} options
 * @param {AbortSignal} [signal]
 * @returns {Promise<{kind: "ok", text: string} | Refused | Lost>}
 */
async function asked(path, options, signal) {
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), TIME_LIMIT_MS);
  signal?.addEventListener("abort", () => stop.abort());
  try {
    const response = await fetch(path, {
      credentials: "same-origin",
      // Not as a page: who is signed out is told so, and not sent to the sign-in page.
      headers: { "X-CSRF-Token": token, Accept: "application/json" },
      redirect: "error",
      signal: stop.signal,
      ...options,
    });
    const text = await response.text();
    return response.ok ? { kind: "ok", text } : refusal(response.status, text);
  } catch {
    return { kind: "unreachable", message: words.elsewhere };
  } finally {
    clearTimeout(timer);
  }
}
