// @ts-check
/**
 * Makes the identity pages easier; without it they work too. A form is sent in place, so that what was typed is still
 * there when the network fails or something was refused. What is typed is kept in the fields alone.
 */

import { isWholeIdNumber, hasRightCheckDigit } from "./identity-number.js";
import { large } from "./memory.js";

const TIME_LIMIT_MS = 20_000;
/** Fields that are filled again after a refusal. The other secret is typed anew. */
const KEPT = ["id_number"];

/** @type {ReturnType<typeof setInterval> | undefined} */
let countdown;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let expiry;

/**
 * @template {HTMLElement} T
 * @param {string} selector
 * @param {new () => T} kind
 * @returns {T | null}
 */
function find(selector, kind) {
  const found = document.querySelector(selector);
  return found instanceof kind ? found : null;
}

// ---- sending ---------------------------------------------------------------------------------

/** @param {HTMLFormElement} form */
function wireForm(form) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const button = form.querySelector("button[type=submit]");
    if (!(button instanceof HTMLButtonElement) || isOff(button) || isBusy()) return;
    void send(form, button);
  });
}

/** @param {HTMLElement} button */
function isOff(button) {
  return button.getAttribute("aria-disabled") === "true";
}

function isBusy() {
  return document.body.getAttribute("aria-busy") === "true";
}

/**
 * @param {HTMLFormElement} form
 * @param {HTMLButtonElement} button
 */
async function send(form, button) {
  const label = button.textContent ?? "";
  setBusy(button, form.dataset.busy ?? label, true);
  const page = await posted(form).catch(() => null);
  setBusy(button, label, false);
  if (page) showPage(page);
  else say(form.dataset.offline ?? "");
}

/**
 * The page that answers the form.
 * @param {HTMLFormElement} form
 */
function posted(form) {
  const fields = Array.from(new FormData(form), ([name, value]) => [name, String(value)]);
  return read(form.action, { method: "POST", body: new URLSearchParams(fields) });
}

/**
 * A page of ours, within a time limit.
 * @param {string} address
 * @param {RequestInit} [options]
 * @returns {Promise<Document>}
 */
async function read(address, options = {}) {
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), TIME_LIMIT_MS);
  try {
    const response = await fetch(address, { credentials: "same-origin", signal: stop.signal, ...options });
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    if (!page.getElementById("body")) throw new Error("not a page of ours");
    return page;
  } finally {
    clearTimeout(timer);
  }
}

/**
 * @param {HTMLButtonElement} button
 * @param {string} label
 * @param {boolean} on
 */
function setBusy(button, label, on) {
  button.textContent = label;
  if (on) button.setAttribute("aria-disabled", "true");
  else button.removeAttribute("aria-disabled");
  document.body.setAttribute("aria-busy", String(on));
}

/** @param {string} sentence */
function say(sentence) {
  const problem = find("#problem", HTMLElement);
  if (!problem) return;
  problem.textContent = sentence;
  problem.hidden = sentence === "";
  if (sentence) bringUp(problem);
}

/** @param {Document} page */
function showPage(page) {
  const shown = document.getElementById("body");
  const next = page.getElementById("body");
  if (!shown || !next) return;
  const kept = typed();
  shown.replaceWith(next);
  document.title = page.title;
  fill(kept);
  wire();
  const problem = find("#problem", HTMLElement);
  const place = problem && !problem.hidden ? problem : next;
  bringUp(place);
  // The keyboard of a phone stays open where the next thing to do is to type the code.
  find("#code", HTMLInputElement)?.focus({ preventScroll: true });
}

/** @returns {Map<string, string>} */
function typed() {
  const values = new Map(KEPT.map((id) => [id, find(`#${id}`, HTMLInputElement)?.value ?? ""]));
  values.set("by_password", find("#by_password", HTMLInputElement)?.checked ? "on" : "");
  values.set("consent", find("#consent", HTMLInputElement)?.checked ? "on" : "");
  return values;
}

/** @param {Map<string, string>} values */
function fill(values) {
  for (const [id, value] of values) {
    const field = find(`#${id}`, HTMLInputElement);
    if (!field) continue;
    if (field.type === "text") field.value = value;
    else if (value) field.checked = true;
  }
}

/** @param {HTMLElement} place */
function bringUp(place) {
  const head = find(".top", HTMLElement)?.offsetHeight ?? 0;
  const top = place.id === "body" ? 0 : place.getBoundingClientRect().top + window.scrollY - head - 16;
  window.scrollTo({ top });
  place.focus({ preventScroll: true });
}

// ---- the notice ------------------------------------------------------------------------------

/** Shows the notice over the form, so that reading it costs nothing of what is typed. */
function wireNotice() {
  const link = find("[data-notice]", HTMLAnchorElement);
  link?.addEventListener("click", (event) => {
    if (typeof HTMLDialogElement === "undefined") return;
    event.preventDefault();
    void openNotice(link.href);
  });
}

/** @param {string} address */
async function openNotice(address) {
  const notice = await read(address).then((page) => page.querySelector(".notice"), () => null);
  if (!notice) return location.assign(address);
  const dialog = document.createElement("dialog");
  dialog.className = "over";
  dialog.append(notice);
  dialog.addEventListener("click", (event) => {
    const isBack = event.target instanceof Element && event.target.closest(".button");
    if (event.target !== dialog && !isBack) return;
    event.preventDefault();
    dialog.close();
  });
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  dialog.scrollTop = 0;
}

// ---- small helps -----------------------------------------------------------------------------

function helpWithIdNumber() {
  const field = find("#id_number", HTMLInputElement);
  const key = find("#id_number_x", HTMLButtonElement);
  const check = find("#id_number_check", HTMLElement);
  if (!field || !key || !check) return;
  // With the X on a key of its own the number pad is enough.
  field.inputMode = "numeric";
  key.hidden = false;
  const look = () => {
    const isWrong = isWholeIdNumber(field.value) && !hasRightCheckDigit(field.value);
    check.textContent = isWrong ? (check.dataset.text ?? "") : "";
  };
  field.addEventListener("input", look);
  key.addEventListener("click", () => {
    if (!/x\s*$/i.test(field.value)) field.value += "X";
    field.focus();
    look();
  });
}

function countDown() {
  clearInterval(countdown);
  const button = find("[data-again-in]", HTMLButtonElement);
  if (!button) return;
  const label = button.textContent ?? "";
  const end = Date.now() + Number(button.dataset.againIn) * 1000;
  const show = () => {
    // A form on its way has its own words on the button.
    if (isBusy()) return;
    const left = Math.ceil((end - Date.now()) / 1000);
    button.textContent = left > 0 ? (button.dataset.waiting ?? "").replace("{n}", String(left)) : label;
    if (left > 0) return button.setAttribute("aria-disabled", "true");
    button.removeAttribute("aria-disabled");
    clearInterval(countdown);
  };
  show();
  countdown = setInterval(show, 500);
}

/** When the sign-in has ended, what was typed leaves the screen. */
function leaveInTime() {
  clearTimeout(expiry);
  const form = find("[data-expires-in]", HTMLFormElement);
  if (form) expiry = setTimeout(() => location.reload(), Number(form.dataset.expiresIn) * 1000 + 1000);
}

function offerToClose() {
  const button = find("[data-close]", HTMLButtonElement);
  if (!button) return;
  const show = () => {
    button.hidden = false;
    const how = find("[data-close-how]", HTMLElement);
    if (how) how.hidden = true;
  };
  button.addEventListener("click", () => bridge()?.call("closeWindow"));
  if (bridge()) show();
  else document.addEventListener("WeixinJSBridgeReady", show, { once: true });
}

/** @returns {{call: (name: string) => void} | undefined} what WeChat's own browser gives to pages */
function bridge() {
  return /** @type {any} */ (window).WeixinJSBridge;
}

function setUpLargeType() {
  const button = find("#large", HTMLButtonElement);
  if (!button) return;
  const apply = (/** @type {boolean} */ on) => {
    button.setAttribute("aria-pressed", String(on));
    if (on) document.documentElement.dataset.size = "large";
    else delete document.documentElement.dataset.size;
  };
  button.hidden = false;
  apply(large.read());
  button.addEventListener("click", () => {
    const on = button.getAttribute("aria-pressed") !== "true";
    large.write(on);
    apply(on);
  });
}

function wire() {
  document.querySelectorAll("form[data-step]").forEach((form) => wireForm(/** @type {HTMLFormElement} */ (form)));
  helpWithIdNumber();
  wireNotice();
  countDown();
  leaveInTime();
  offerToClose();
}

setUpLargeType();
wire();
// A page the browser has kept for going back may be of a step that is over.
window.addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});
