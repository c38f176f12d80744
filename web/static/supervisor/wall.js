// @ts-check
/** The wall, live, and looking on in a conversation beside it. */

import { fragment, post } from "../desk/api.js";
import { openKnown, prepare, setUpDialogs } from "../desk/dialogs.js";
import { CallStrip } from "../desk/call.js";
import { Feed } from "../desk/feed.js";
import { setUpKeys } from "../desk/keys.js";
import { showLink, toast } from "../desk/notices.js";
import { Talk } from "../desk/talk.js";
import { startTicking, tick } from "../desk/ticking.js";
import { element, words } from "../desk/words.js";

const UNHELD_MS = 2000;
/** @type {Talk | null} */
let talk = null;
/** @type {CallStrip | null} */
let call = null;
/** @type {number | undefined} */
let seq;
/** @type {HTMLElement | null} */
let opener = null;

const feed = new Feed(
  {
    path: () => (talk ? `/supervisor/events?watch=${encodeURIComponent(talk.id)}` : "/supervisor/events"),
    read: () => seq,
    write: (heard) => {
      seq = heard;
    },
  },
  {
    event({ kind, conversation, data }) {
      if (kind !== "typing" && kind !== "line") drawAnew();
      if (conversation !== talk?.id) return;
      if (kind === "call") return readCall(data);
      if (kind === "line" || kind === "note") talk.read({ notes: kind === "note" });
      else if (kind === "delivery") talk.read({ from: Number(data.seq) });
      else if (kind === "typing") talk.typing(Boolean(data.on));
      else if (kind === "owner" || kind === "closed") monitor(conversation);
    },
    anew() {
      drawAnew();
      talk?.read({ notes: true });
    },
    state: showLink,
  },
);

function drawAnew() {
  document.body.dispatchEvent(new CustomEvent("desk:wall", { bubbles: true }));
}

/**
 * The conversation is beside the wall, to be read.
 * @param {string} id
 */
async function monitor(id) {
  const answer = await fragment(`/supervisor/c/${encodeURIComponent(id)}`);
  if (answer.kind !== "ok") return toast(answer.message, "bad");
  const drawer = element("drawer");
  const isOther = talk?.id !== id;
  drawer.replaceChildren(...answer.body.childNodes);
  drawer.hidden = false;
  prepare(drawer);
  talk = new Talk(id);
  call = new CallStrip(talk.base, () => drawer.querySelector(".talk-who")?.textContent ?? "");
  markWatched();
  if (!isOther) return;
  talk.scroller.focus();
  // The stream says what is watched, so that a stream that is opened again watches too.
  feed.connect();
}

/** @param {{mark?: string}} data what has happened in the call */
function readCall(data) {
  call?.refresh();
  const from = data.mark === "broke_in" ? talk?.transcript.lastOf("bot", "system") : undefined;
  if (from) talk?.read({ from });
}

/** What is said to somebody nobody holds is told to no page: it is looked for. */
function lookOn() {
  const { kind } = talk?.root.dataset ?? {};
  if (kind && kind !== "held" && !document.hidden) talk?.read();
}

function closeDrawer() {
  talk = null;
  call = null;
  element("drawer").hidden = true;
  element("drawer").replaceChildren();
  markWatched();
  feed.connect();
  const again = opener?.id ? document.getElementById(opener.id) : null;
  again?.focus();
}

async function takeOver() {
  if (!talk) return;
  const answer = await post(`/supervisor/c/${encodeURIComponent(talk.id)}/take-over`);
  if (answer.kind !== "ok") return toast(answer.message, "bad");
  location.assign(`/desk?c=${encodeURIComponent(answer.data.conversation)}`);
}

function markWatched() {
  for (const row of document.querySelectorAll("[data-monitor]")) {
    if (row instanceof HTMLElement && row.dataset.monitor === talk?.id) row.setAttribute("aria-current", "true");
    else row.removeAttribute("aria-current");
  }
}

/** @param {MouseEvent} event */
function clicked(event) {
  const target = event.target instanceof Element ? event.target.closest("[data-monitor], [data-act]") : null;
  if (!(target instanceof HTMLElement)) return;
  if (target.dataset.monitor) {
    opener = target;
    monitor(target.dataset.monitor);
  } else if (target.dataset.act === "take-over") takeOver();
  else if (target.dataset.act === "close-drawer") closeDrawer();
}

function setUp() {
  setUpDialogs();
  document.addEventListener("click", clicked);
  document.addEventListener("desk:whispered", () => {
    toast(words.whispered);
    talk?.read({ notes: true });
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && talk && !document.querySelector("dialog[open]")) closeDrawer();
  });
  document.addEventListener("htmx:after:swap", () => {
    tick();
    markWatched();
  });
  setUpKeys({}, () => openKnown("keys"));
  startTicking();
  setInterval(lookOn, UNHELD_MS);
  feed.connect();
}

setUp();
