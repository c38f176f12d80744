// @ts-check
/** The pages of work orders: a list that is filtered, a new order, and one order that is worked on. */

import { fragment, refusal } from "../desk/api.js";
import { closeDialog, openKnown, prepare, setUpDialogs } from "../desk/dialogs.js";
import { Feed } from "../desk/feed.js";
import { setUpKeys } from "../desk/keys.js";
import { showLink, toast } from "../desk/notices.js";
import { element, filled, words } from "../desk/words.js";

const UPLOAD_LIMIT_MS = 120_000;
const OWN_MS = 3000;
const MEGABYTE = 1024 * 1024;
const order = document.getElementById("order");
const list = document.getElementById("filter");
const token = document.querySelector('meta[name="csrf-token"]')?.getAttribute("content") ?? "";
/** When this page last changed something: what is told right after is its own doing. */
let changedAt = 0;
/** @type {number | undefined} */
let seq;
let isFirst = true;
/** The act that was chosen last, to which the keyboard comes back. */
let lastAct = "";

const feed = new Feed(
  {
    path: () => "/work-orders/events",
    read: () => seq,
    write: (heard) => {
      seq = heard;
    },
  },
  {
    event({ kind, data }) {
      if (kind === "order" && (!order || data.number === order.dataset.number)) somethingChanged();
    },
    anew() {
      if (!isFirst) somethingChanged();
      isFirst = false;
    },
    state: showLink,
  },
);

/** Said, not done: whoever is writing keeps his place. */
function somethingChanged() {
  if (Date.now() - changedAt > OWN_MS) element("changed").hidden = false;
}

/**
 * While something is under way nothing else is begun: it would be about an order that is not there any more.
 * @param {boolean} on
 */
function hold(on) {
  if (order) order.inert = on;
}

/** The order as it stands now. */
async function refresh() {
  if (!order) return location.reload();
  hold(true);
  const answer = await fragment(`/work-orders/${encodeURIComponent(order.dataset.number ?? "")}/body`);
  hold(false);
  if (answer.kind === "refused") return location.assign("/work-orders");
  if (answer.kind !== "ok") return toast(answer.message, "bad");
  order.replaceChildren(...answer.body.childNodes);
  prepare(order);
  element("changed").hidden = true;
  const again = order.querySelector(`[data-does="${lastAct}"]`) ?? order.querySelector("[data-does]");
  if (again instanceof HTMLElement && document.activeElement === document.body) again.focus();
}

/** @param {MouseEvent} event */
function clicked(event) {
  const target = event.target instanceof Element ? event.target.closest("[data-act], [data-does]") : null;
  if (!(target instanceof HTMLElement)) return;
  if (target.dataset.act === "anew") refresh();
  lastAct = target.dataset.does ?? lastAct;
  if (target.hasAttribute("hx-post")) hold(true);
}

/**
 * The file belongs to the order, or the form says why not.
 * @param {HTMLFormElement} form
 */
async function upload(form) {
  const field = /** @type {HTMLInputElement} */ (form.querySelector('input[type="file"]'));
  const button = /** @type {HTMLButtonElement} */ (form.querySelector('button[type="submit"]'));
  const file = field.files?.[0];
  const most = Number(form.dataset.most);
  if (!file) return complain(form, words.upload_none);
  if (file.size > most) {
    const size = (file.size / MEGABYTE).toFixed(1);
    return complain(form, filled(words.upload_large, { size, most: Math.floor(most / MEGABYTE) }));
  }
  button.disabled = true;
  button.textContent = words.uploading;
  const problem = await send(form.dataset.upload ?? "", file);
  button.disabled = false;
  button.textContent = words.upload;
  if (problem) return complain(form, problem);
  toast(words.done_file);
  changedAt = Date.now();
  await refresh();
}

/**
 * @param {string} path
 * @param {File} file
 * @returns {Promise<string>} what went wrong, or nothing
 */
async function send(path, file) {
  try {
    const response = await fetch(path, {
      method: "POST",
      credentials: "same-origin",
      redirect: "error",
      headers: {
        "X-CSRF-Token": token,
        Accept: "application/json",
        "Content-Type": "application/octet-stream",
        "X-File-Name": encodeURIComponent(file.name),
      },
      body: file,
      signal: AbortSignal.timeout(UPLOAD_LIMIT_MS),
    });
    return response.ok ? "" : refusal(response.status, await response.text()).message;
  } catch {
    return words.upload_lost;
  }
}

/** @param {HTMLFormElement} form @param {string} sentence */
function complain(form, sentence) {
  const place = /** @type {HTMLElement} */ (form.querySelector("[data-problem]"));
  place.textContent = sentence;
  place.hidden = false;
}

/** @param {SubmitEvent} event */
function submitted(event) {
  const form = event.target;
  if (!(form instanceof HTMLFormElement) || !form.dataset.upload) return;
  event.preventDefault();
  upload(form);
}

/** @param {string} name @param {(detail: any) => void} done */
function onDone(name, done) {
  document.addEventListener(name, (event) => done(/** @type {CustomEvent} */ (event).detail));
}

function setUp() {
  setUpDialogs();
  document.addEventListener("submit", submitted);
  document.addEventListener("click", clicked);
  onDone("orders:done", ({ act }) => {
    changedAt = Date.now();
    if (document.querySelector("dialog[open]")) closeDialog();
    toast(words[`done_${act}`] ?? words.done);
    refresh();
  });
  onDone("orders:opened", ({ number }) => location.assign(`/work-orders/${encodeURIComponent(number)}`));
  // Somebody was faster: what he did is shown behind the dialog, which keeps what was written.
  document.addEventListener("htmx:response:error", (event) => {
    const { ctx } = /** @type {CustomEvent} */ (event).detail;
    hold(false);
    if (ctx.response.status === 409 && order) refresh();
  });
  document.addEventListener("htmx:error", () => hold(false));
  setUpKeys(
    {
      KeyN: () => location.assign("/work-orders/new"),
      KeyL: () => location.assign("/work-orders"),
      KeyR: refresh,
      KeyK: () => (list ? element("q").focus() : location.assign("/work-orders")),
    },
    () => openKnown("keys"),
  );
  for (const root of document.querySelectorAll("form[data-keep]")) prepare(/** @type {HTMLElement} */ (root.parentElement));
  if (order || list) feed.connect();
}

setUp();
