// @ts-check
/** Dialogs, tabs, forms that keep what is written, and what went wrong with them. */

import { fragment, refusal } from "./api.js";
import { Combobox } from "./combobox.js";
import { forms } from "./memory.js";
import { toast } from "./notices.js";
import { element, filled, words } from "./words.js";

const dialog = /** @type {HTMLDialogElement} */ (element("dialog"));

/**
 * A form of the gateway in the dialog.
 * @param {string} path
 */
export async function openDialog(path) {
  const answer = await fragment(path);
  if (answer.kind !== "ok") return toast(answer.message, "bad");
  element("dialog-body").replaceChildren(...answer.body.childNodes);
  prepare(element("dialog-body"));
  if (!dialog.open) dialog.showModal();
}

export function closeDialog() {
  dialog.close();
  element("dialog-body").replaceChildren();
}

export function isDialogOpen() {
  return document.querySelector("dialog[open]") !== null;
}

/** @param {string} id of a dialog that is in the page */
export function openKnown(id) {
  const known = /** @type {HTMLDialogElement} */ (element(id));
  if (!known.open) known.showModal();
}

/**
 * New content of the gateway comes alive.
 * @param {HTMLElement} root
 */
export function prepare(root) {
  window.htmx.process(root);
  for (const form of /** @type {NodeListOf<HTMLFormElement>} */ (root.querySelectorAll("form[data-keep]"))) restore(form);
  root.querySelectorAll("[data-combobox]").forEach((node) => new Combobox(/** @type {HTMLElement} */ (node)));
}

/**
 * The tab is chosen, and its panel shown.
 * @param {string} id of the tab
 */
export function showTab(id) {
  const tab = element(id);
  for (const other of /** @type {NodeListOf<HTMLElement>} */ (tab.parentElement?.querySelectorAll('[role="tab"]'))) {
    const isChosen = other === tab;
    other.setAttribute("aria-selected", String(isChosen));
    other.tabIndex = isChosen ? 0 : -1;
    element(other.getAttribute("aria-controls") ?? "").hidden = !isChosen;
  }
  document.body.dispatchEvent(new CustomEvent(id.replace("tab-", "desk:"), { bubbles: true }));
}

/** @param {HTMLFormElement} form */
function restore(form) {
  const kept = forms.read(form.dataset.keep ?? "");
  for (const [name, value] of Object.entries(kept)) {
    const field = form.elements.namedItem(name);
    if (field instanceof RadioNodeList) field.value = value;
    else if (field instanceof HTMLTextAreaElement || field instanceof HTMLInputElement) field.value = value;
  }
}

/** @param {HTMLFormElement} form */
function keep(form) {
  const fields = Object.fromEntries(Array.from(new FormData(form), ([name, value]) => [name, String(value)]));
  const isEmpty = Object.values(fields).every((value) => value === "");
  forms.write(form.dataset.keep ?? "", isEmpty ? undefined : fields);
}

/**
 * @param {Element} source what was sent
 * @param {string} sentence
 */
function complain(source, sentence) {
  const place = source.closest("form")?.querySelector("[data-problem]");
  if (!(place instanceof HTMLElement)) return toast(sentence, "bad");
  place.textContent = sentence;
  place.hidden = false;
}

/** @param {HTMLElement} shown a personal number, for a while */
function hideLater(shown) {
  let left = Number(shown.dataset.hidesAfter);
  const say = () => {
    const place = shown.querySelector("[data-left]");
    if (place) place.textContent = filled(words.revealed, { left });
  };
  say();
  const timer = setInterval(() => {
    left -= 1;
    if (left <= 0 || !shown.isConnected) {
      clearInterval(timer);
      shown.remove();
    } else {
      say();
    }
  }, 1000);
}

/** @param {MouseEvent} event */
function clicked(event) {
  const target = event.target instanceof Element ? event.target.closest("button, a") : null;
  if (!(target instanceof HTMLElement)) return;
  const { opens, opensUrl, toggles } = target.dataset;
  if (opens) openKnown(opens);
  else if (opensUrl) openDialog(opensUrl);
  else if ("closes" in target.dataset) target.closest("dialog")?.close();
  else if (toggles) toggle(target, element(toggles));
  else if (target.getAttribute("role") === "tab") showTab(target.id);
}

/**
 * @param {HTMLElement} button
 * @param {HTMLElement} what
 */
function toggle(button, what) {
  what.hidden = !what.hidden;
  button.setAttribute("aria-expanded", String(!what.hidden));
  if (!what.hidden) /** @type {HTMLElement | null} */ (what.querySelector("select, input:not([type=hidden])"))?.focus();
}

/** @param {KeyboardEvent} event */
function moveAmongTabs(event) {
  const tab = event.target;
  if (!(tab instanceof HTMLElement) || tab.getAttribute("role") !== "tab") return;
  const tabs = /** @type {HTMLElement[]} */ (Array.from(tab.parentElement?.querySelectorAll('[role="tab"]') ?? []));
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!step) return;
  const next = tabs[(tabs.indexOf(tab) + step + tabs.length) % tabs.length];
  event.preventDefault();
  showTab(next.id);
  next.focus();
}

/** Everything above listens. */
export function setUpDialogs() {
  document.addEventListener("click", clicked);
  document.addEventListener("keydown", moveAmongTabs);
  document.addEventListener("input", (event) => {
    const form = event.target instanceof Element ? event.target.closest("form[data-keep]") : null;
    if (form instanceof HTMLFormElement) keep(form);
  });
  document.addEventListener("htmx:after:request", (event) => {
    const { ctx } = /** @type {CustomEvent} */ (event).detail;
    const form = ctx.sourceElement.closest("form");
    if (!ctx.response.raw.ok || !form || ctx.request.method === "GET") return;
    if (form.dataset.keep) forms.write(form.dataset.keep, undefined);
    if (!form.closest("dialog")) form.reset();
    const problem = form.querySelector("[data-problem]");
    if (problem) problem.hidden = true;
    if (form.classList.contains("reveal")) form.hidden = true;
  });
  document.addEventListener("htmx:response:error", (event) => {
    const { ctx } = /** @type {CustomEvent} */ (event).detail;
    complain(ctx.sourceElement, refusal(ctx.response.status, ctx.text).message);
  });
  document.addEventListener("htmx:error", (event) => {
    const { ctx } = /** @type {CustomEvent} */ (event).detail;
    complain(ctx?.sourceElement ?? document.body, words.elsewhere);
  });
  document.addEventListener("htmx:after:swap", (event) => {
    const { ctx } = /** @type {CustomEvent} */ (event).detail;
    ctx.target?.querySelectorAll?.("[data-hides-after]").forEach(hideLater);
  });
}
