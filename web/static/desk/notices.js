// @ts-check
/** How the page calls somebody who looks elsewhere: title, desktop notice, a word on the page. Never a sound. */

import { element, filled, words } from "./words.js";

const TOAST_MS = 3500;
const link = element("link");
/** @type {ReturnType<typeof setTimeout> | undefined} */
let linkTimer;

/**
 * @param {string} sentence
 * @param {"ok" | "bad"} kind
 */
export function toast(sentence, kind = "ok") {
  const node = document.createElement("p");
  node.className = `toast toast-${kind}`;
  node.textContent = sentence;
  const place = element("toasts");
  place.append(node);
  // Above a dialog that is open: what was shown last is on top.
  if (place.matches(":popover-open")) place.hidePopover();
  place.showPopover();
  const leave = () => {
    node.remove();
    if (place.childElementCount === 0) place.hidePopover();
  };
  setTimeout(leave, kind === "bad" ? 2 * TOAST_MS : TOAST_MS);
}

/**
 * Read out at once.
 * @param {string} sentence
 */
export function announce(sentence) {
  element("live").textContent = sentence;
}

/** @param {number} count what waits for this member of staff */
export function setTitle(count) {
  const title = words.title;
  document.title = count > 0 ? filled(words.unread_title, { count, title }) : title;
}

/**
 * A desktop notice, where it is allowed and the page is not being looked at.
 * @param {string} title
 * @param {string} text
 * @param {string} tag one notice of a kind at a time
 */
export function notify(title, text, tag) {
  if (!("Notification" in window) || Notification.permission !== "granted" || document.hasFocus()) return;
  const notice = new Notification(title, { body: text, tag, silent: true });
  notice.addEventListener("click", () => {
    window.focus();
    notice.close();
  });
}

/** Offers to allow desktop notices, where nobody has decided yet. */
export function offerNotices() {
  const button = element("allow-notices");
  const isOpen = () => "Notification" in window && Notification.permission === "default";
  button.hidden = !isOpen();
  button.addEventListener("click", async () => {
    await Notification.requestPermission();
    button.hidden = !isOpen();
  });
}

/** @param {"live" | "broken" | "expired"} state */
export function showLink(state) {
  clearTimeout(linkTimer);
  if (state === "live") {
    if (link.textContent === "") return;
    sayLink(words.reconnected, "live");
    linkTimer = setTimeout(() => sayLink("", ""), 2000);
  } else if (state === "expired") {
    sayLink(words.expired, "broken");
    const way = document.createElement("a");
    way.href = `/desk${location.search}`;
    way.textContent = words.sign_in;
    link.append(" ", way);
  } else if (link.dataset.kind !== "broken") {
    // A break too short to notice is not worth a word.
    linkTimer = setTimeout(() => sayLink(words.reconnecting, "broken"), 700);
  }
}

/**
 * @param {string} sentence
 * @param {string} kind
 */
function sayLink(sentence, kind) {
  link.textContent = sentence;
  link.dataset.kind = kind;
}
