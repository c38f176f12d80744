// @ts-check
/** Puts the desk together: what is told is shown, what is done is sent. */

import { fragment, post } from "./api.js";
import { CallStrip } from "./call.js";
import { Composer } from "./composer.js";
import { closeDialog, openDialog, openKnown, setUpDialogs, showTab } from "./dialogs.js";
import { Feed } from "./feed.js";
import { setUpHearing } from "./hearing.js";
import { setUpKeys } from "./keys.js";
import { List } from "./list.js";
import { cursor, drafts, pending } from "./memory.js";
import { announce, notify, offerNotices, showLink, toast } from "./notices.js";
import { Outbox } from "./outbox.js";
import { Phone } from "./phone.js";
import { place, Talk } from "./talk.js";
import { shownAs, serverNow, startTicking } from "./ticking.js";
import { element, filled, newId, words } from "./words.js";

/** @typedef {import("./feed.js").DeskEvent} DeskEvent */

/** @type {Talk | null} */
let talk = null;
/** @type {Composer | null} */
let composer = null;
/** @type {CallStrip | null} */
let call = null;
/** @type {AbortController | null} */
let opening = null;
const nothing = element("middle").cloneNode(true);
/** @type {Set<string>} */
const toldOffers = new Set();
/** Conversations that go back because the agent's telephone was not answered. @type {Set<string>} */
const missed = new Set();

const list = new List(listChanged);
const outbox = new Outbox({
  sending: (message) => ofTalk(message.conversation)?.showOutgoing(message, "sending", () => outbox.resume()),
  waiting: (message) => ofTalk(message.conversation)?.showOutgoing(message, "waiting", () => outbox.resume()),
  arrived(message, data) {
    const shown = ofTalk(message.conversation);
    if (shown) shown.arrived(message, data.html);
    else list.refreshRow(message.conversation);
  },
  refused(message, refused) {
    const shown = ofTalk(message.conversation);
    shown?.removeOutgoing(message.id);
    if (shown && composer) {
      composer.giveBack(message.text);
      composer.complain(refused.message, refused.masked);
      composer.focus();
    } else {
      giveBackLater(message.conversation, message.text);
      toast(refused.message, "bad");
    }
    if (refused.code === "not_yours" || refused.code === "gone") list.refresh();
  },
  expired: () => showLink("expired"),
});
const feed = new Feed(
  { path: () => "/desk/events", ...cursor },
  {
    event: told,
    anew() {
      list.refresh();
      list.refreshQueue();
      announceChange("desk:state");
      talk?.read({ notes: true });
      call?.refresh();
      outbox.resume();
    },
    state: showLink,
  },
);

/** @param {string} id */
function ofTalk(id) {
  return talk?.id === id ? talk : null;
}

/** @param {string} conversation @param {string} text */
function giveBackLater(conversation, text) {
  const written = drafts.read(conversation);
  drafts.write(conversation, written ? `${text}\n${written}` : text);
}

/** @param {string} name */
function announceChange(name) {
  document.body.dispatchEvent(new CustomEvent(name, { bubbles: true }));
}

/**
 * The conversation is open, and the cursor in its box.
 * @param {string} id
 * @param {{focus?: boolean}} [how]
 */
async function open(id, { focus = true } = {}) {
  opening?.abort();
  opening = new AbortController();
  const { signal } = opening;
  element("middle").setAttribute("aria-busy", "true");
  const answer = await fragment(`/desk/c/${encodeURIComponent(id)}`, signal);
  if (signal.aborted) return;
  element("middle").removeAttribute("aria-busy");
  if (answer.kind === "refused") {
    if (!missed.delete(id)) toast(words.moved, "bad");
    return close();
  }
  if (answer.kind !== "ok") return toast(answer.message, "bad");
  place(answer.body);
  talk = new Talk(id, (row) => list.replaceRow(row));
  list.choose(id);
  history.replaceState(null, "", `/desk?c=${encodeURIComponent(id)}`);
  const of = talk;
  call = new CallStrip(of.base, () => list.whoIs(id));
  composer = of.isMine
    ? new Composer({
        conversation: id,
        limit: Number(of.root.dataset.limit),
        send: (text) => outbox.add({ id: newId(), conversation: id, text }),
      })
    : null;
  for (const message of pending.all().filter((each) => each.conversation === id)) {
    of.showOutgoing(message, "waiting", () => outbox.resume());
  }
  if (focus) (composer ?? of.scroller).focus();
  // Something may have been said while the page was under way.
  of.read({ notes: true });
}

/** The middle is empty again. */
function close() {
  opening?.abort();
  talk = null;
  call = null;
  composer = null;
  element("middle").replaceWith(nothing.cloneNode(true));
  element("side").replaceChildren();
  list.choose("");
  list.refresh();
  history.replaceState(null, "", "/desk");
  announceChange("desk:state");
}

/** @param {DeskEvent} event */
function told(event) {
  const { kind, conversation, data } = event;
  if (kind === "line") return lineTold(conversation, data);
  if (kind === "typing") return ofTalk(conversation)?.typing(Boolean(data.on));
  if (kind === "delivery") return void ofTalk(conversation)?.read({ from: Number(data.seq) });
  if (kind === "call") return callTold(conversation, data);
  if (kind === "note") return void ofTalk(conversation)?.read({ notes: true });
  if (kind === "state") return data.who === words.staff ? announceChange("desk:state") : undefined;
  if (kind === "order") return announceChange("desk:orders");
  if (kind === "queue") return void list.refreshQueue();
  if (kind === "offer" || kind === "offer_gone") return void list.refresh();
  if (kind === "owner" || kind === "closed") return ownerTold(conversation, data);
}

/** @param {string} conversation @param {{author?: string, seq?: number}} data */
function lineTold(conversation, data) {
  const isOpen = talk?.id === conversation;
  // A line may be numbered before, and stored after, one that is shown already.
  const from = talk && data.seq && data.seq <= talk.transcript.last ? data.seq : undefined;
  if (isOpen && !(data.seq && talk?.transcript.holds(data.seq))) talk?.read({ from });
  if (!list.has(conversation)) list.refresh();
  else if (!isOpen) list.refreshRow(conversation);
  if (data.author !== "citizen") return;
  const who = list.whoIs(conversation);
  if (!isOpen || document.hidden) {
    list.said(conversation);
    announce(filled(words.line_live, { who }));
  }
  notify(words.line_title, filled(words.line_text, { who }), conversation);
}

/** @param {string} conversation @param {{mark?: string}} data */
function callTold(conversation, data) {
  const isMine = ofTalk(conversation)?.isMine || list.has(conversation);
  if (data.mark === "agent_missed" && isMine) {
    missed.add(conversation);
    toast(words.call_missed, "bad");
  }
  if (talk?.id !== conversation) return;
  call?.refresh();
  const from = data.mark === "broke_in" ? talk.transcript.lastOf("bot", "system") : undefined;
  if (from) talk.read({ from });
}

/** @param {string} conversation @param {{owner?: string, holder?: string}} data */
function ownerTold(conversation, data) {
  list.refreshQueue();
  if (list.has(conversation) || data.holder === words.staff) {
    list.refresh();
    announceChange("desk:state");
  }
  // Somebody else has it now, or nobody: what is written stays as its draft.
  if (talk?.id === conversation && talk.isMine && data.holder !== words.staff) open(conversation, { focus: false });
}

function listChanged() {
  tellOffers();
  showWait();
}

/** The open conversation waits as long as its row in the list. */
function showWait() {
  const place = document.getElementById("talk-wait");
  const wait = document.getElementById(`row-${talk?.id}`)?.querySelector(".wait");
  place?.replaceChildren(...(wait ? [wait.cloneNode(true)] : []));
}

/** New offers are told once. */
function tellOffers() {
  for (const offer of list.offers) {
    const { handover = "", matter = "", channel = "" } = offer.dataset;
    if (toldOffers.has(handover)) continue;
    toldOffers.add(handover);
    const since = offer.querySelector("[data-since]")?.getAttribute("data-since");
    const waited = since ? shownAs((serverNow() - Date.parse(since)) / 1000) : "";
    announce(filled(words.offer_live, { matter, channel }));
    notify(words.offer_title, filled(words.offer_text, { matter, channel, waited }), "offer");
  }
}

/**
 * @param {string} act accept, decline or pick
 * @param {string} handover
 */
async function answerOffer(act, handover) {
  const answer = await post(`/desk/requests/${handover}/${act}`);
  list.refresh();
  list.refreshQueue();
  announceChange("desk:state");
  if (answer.kind !== "ok") return toast(answer.message, "bad");
  if (act === "decline") return;
  missed.delete(answer.data.conversation);
  toast(answer.data.calling || (act === "pick" ? words.picked : words.taken));
  showTab("tab-mine");
  await open(answer.data.conversation);
}

async function end() {
  const button = document.querySelector('[data-key="end"]');
  if (!talk || !(button instanceof HTMLElement)) return;
  const { id } = talk;
  const isCall = "voice" in button.dataset;
  if (button.dataset.opensUrl) return openDialog(button.dataset.opensUrl);
  const answer = await post(`${talk.base}/end`);
  if (answer.kind !== "ok") return toast(answer.message, "bad");
  toast(isCall ? words.call_ended : words.ended);
  list.refresh();
  announceChange("desk:state");
  await open(id, { focus: false });
  openDialog(`/desk/c/${encodeURIComponent(id)}/wrap-up`);
}

/** @param {number} place which of the suggestions, from 0 */
function insertSuggestion(place) {
  const chosen = document.querySelectorAll("#suggestions [data-insert]")[place];
  if (chosen instanceof HTMLElement && chosen.dataset.insert) composer?.insert(chosen.dataset.insert);
}

/** @param {1 | -1} step */
function goBeside(step) {
  const id = list.beside(step);
  if (id) open(id);
}

/** @param {string} tab @param {string} field */
function goTo(tab, field) {
  if (!document.getElementById(tab)) return;
  showTab(tab);
  document.getElementById(field)?.focus();
}

/** @param {string} act */
function onOffer(act) {
  const first = list.offers[0]?.dataset.handover;
  if (first) answerOffer(act, first);
}

/** @param {string} conversation the call is for */
function phoneRings(conversation) {
  if (conversation && conversation !== talk?.id) open(conversation, { focus: false });
}

function togglePacket() {
  const packet = document.getElementById("packet");
  if (packet instanceof HTMLDetailsElement) packet.open = !packet.open;
}

function toggleQueue() {
  const tab = element("tab-queue").getAttribute("aria-selected") === "true" ? "tab-mine" : "tab-queue";
  showTab(tab);
  element(tab).focus();
}

/** @param {MouseEvent} event */
function clicked(event) {
  const target = event.target instanceof Element ? event.target.closest("[data-act], [data-insert], .row") : null;
  if (!(target instanceof HTMLElement)) return;
  const { act, handover, insert, id } = target.dataset;
  if (act === "end") end();
  else if (act && handover) answerOffer(act, handover);
  else if (insert) composer?.insert(insert);
  else if (id && !event.ctrlKey && !event.metaKey && event.button === 0) {
    event.preventDefault();
    open(id);
  }
}

/** @param {string} name @param {(detail: any) => void} done */
function onDone(name, done) {
  document.addEventListener(name, (event) => done(/** @type {CustomEvent} */ (event).detail));
}

function setUp() {
  setUpDialogs();
  setUpHearing();
  document.addEventListener("click", clicked);
  onDone("desk:noted", () => {
    toast(words.noted);
    talk?.read({ notes: true });
  });
  onDone("desk:transferred", () => {
    closeDialog();
    toast(words.transferred);
    close();
  });
  onDone("desk:wrapped", () => {
    closeDialog();
    toast(words.wrapped);
    close();
  });
  setUpKeys(
    {
      ArrowDown: () => goBeside(1),
      ArrowUp: () => goBeside(-1),
      KeyA: () => onOffer("accept"),
      KeyX: () => onOffer("decline"),
      KeyC: () => composer?.focus(),
      KeyE: () => end(),
      KeyT: () => element("middle").querySelector('[data-key="transfer"]')?.dispatchEvent(new MouseEvent("click", { bubbles: true })),
      KeyN: () => goTo("tab-notes", "note-text"),
      KeyK: () => goTo("tab-knowledge", "knowledge-q"),
      KeyP: togglePacket,
      KeyQ: toggleQueue,
      Digit1: () => insertSuggestion(0),
      Digit2: () => insertSuggestion(1),
      Digit3: () => insertSuggestion(2),
    },
    () => openKnown("keys"),
  );
  window.addEventListener("focus", () => talk && list.seen(talk.id));
  offerNotices();
  startTicking();
  listChanged();
  const place = document.getElementById("phone");
  if (place) new Phone(place, phoneRings).start();
  const asked = new URLSearchParams(location.search).get("c");
  if (asked) open(asked);
  feed.connect();
}

setUp();
