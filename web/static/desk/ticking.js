// @ts-check
/** Times that go on by themselves: how long somebody waits, how long an offer stands. */

import { grades } from "./words.js";

let offsetMs = 0;

/**
 * The gateway's clock counts, whatever this computer's clock says.
 * @param {string} now ISO 8601
 */
export function setServerTime(now) {
  const told = Date.parse(now);
  if (!Number.isNaN(told)) offsetMs = told - Date.now();
}

export function serverNow() {
  return Date.now() + offsetMs;
}

/**
 * 1:05, or 1:02:05 from an hour on.
 * @param {number} seconds
 */
export function shownAs(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const two = (/** @type {number} */ value) => String(value).padStart(2, "0");
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60), whole % 60];
  return hours > 0 ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}

/** All times on the page as they are now. */
export function tick() {
  const now = serverNow();
  const seconds = (/** @type {string | undefined} */ at) => (Date.parse(at ?? "") - now) / 1000;
  for (const node of all("[data-since]")) {
    const waited = -seconds(node.dataset.since);
    say(node, shownAs(waited));
    if ("grades" in node.dataset) node.dataset.grade = gradeOf(waited);
  }
  for (const node of all("[data-until]")) {
    const left = Math.max(0, Math.ceil(seconds(node.dataset.until)));
    if (node instanceof HTMLProgressElement) node.value = left;
    else say(node, `${left}s`);
  }
  for (const node of all("[data-remaining]")) say(node, shownAs(seconds(node.dataset.remaining)));
}

/** @param {number} waited seconds */
function gradeOf(waited) {
  if (waited >= grades.red) return "red";
  return waited >= grades.amber ? "amber" : "";
}

/** @param {string} selector */
function all(selector) {
  return /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll(selector));
}

/**
 * The words after a hidden label.
 * @param {HTMLElement} node
 * @param {string} text
 */
function say(node, text) {
  const last = node.lastChild;
  if (last instanceof Text) {
    if (last.data !== text) last.data = text;
  } else {
    node.append(text);
  }
}

export function startTicking() {
  tick();
  setInterval(tick, 1000);
}
